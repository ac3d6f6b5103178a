"""``tocsin logs`` and the client behind it: lines, JSON, pages, following, empty answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import httpx2
import orjson
import pytest

from tests.tocsin.client.test_shapes import differences
from tocsin import cli
from tocsin.client.logs import LogCalls
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

LINES = [
    {"time": START_MS, "level": "info", "message": "order 7 placed", "service": "shop"},
    {"time": START_MS + 1, "level": "error", "message": "no stock for ann@example.org", "sku": 7},
]


def send(running: LocalTocsin, *lines: dict[str, object]) -> None:
    """Send lines."""
    body = b"\n".join(map(orjson.dumps, lines))
    url = f"{running.api.base_url}/api/v1/logs"
    assert httpx2.post(url, content=body, trust_env=False, timeout=60).status_code == 200


@pytest.fixture(name="running", scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalTocsin]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("logs"), history="off")
    with local_tocsin(settings) as running:
        send(running, *LINES)
        yield running


@pytest.fixture(autouse=True)
def _asked(running: LocalTocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)


def tell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[object, str, str]:
    """Return exit code, output and complaints of ``tocsin logs``; tests' time is long ago."""
    monkeypatch.setattr(sys, "argv", ["tocsin", "logs", "--since", "9999d", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


def test_lines_are_printed_newest_last_without_their_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person at a terminal reads downwards, and must not read a customer's address."""
    code, out, _ = tell(capsys, monkeypatch)
    assert code == 0
    first, second = out.splitlines()
    assert first == "2023-11-14 22:13:20 UTC info  shop: order 7 placed"
    assert second.endswith("no stock for [redacted email] sku=7")
    _, out, _ = tell(
        capsys, monkeypatch, "--json", "--severity", "warn", "no stock", "--limit", "5"
    )
    assert [orjson.loads(line)["body"] for line in out.splitlines()] == [
        "no stock for [redacted email]"
    ]


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("nothing", "--fail-empty"), 3, "no such lines"),
        (("nothing",), 0, "no such lines"),
        (("--severity", "loud"), 1, "severity"),
        (("--limit", "0"), 2, "limit"),
    ],
)
def test_what_is_not_there_or_can_not_be_asked_is_told(
    words: tuple[str, ...],
    code: int,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script would take a typing error for a quiet night."""
    left, _, said = tell(capsys, monkeypatch, *words)
    assert left == code
    assert complaint in said


def test_the_server_sends_what_the_client_promises(running: LocalTocsin) -> None:
    """A field of another type misleads whoever reads the shapes."""
    logs = running.api.logs
    answers: dict[str, Any] = {
        "search": logs.search(text="placed"),
        "histogram": logs.histogram(start_ms=START_MS, end_ms=START_MS + 60_000),
        "overview": logs.overview(),
        "patterns": logs.patterns(start_ms=START_MS + 1, end_ms=START_MS + 60_000),
    }
    for name, answer in answers.items():
        shape = get_type_hints(getattr(LogCalls, name))["return"]
        assert [*differences(shape, answer)] == [], name
    assert answers["histogram"]["total"] == 2
    assert answers["overview"]["redacted"] == {"email": 1}
    [new] = answers["patterns"]["new"]
    assert new["sample"]["body"].startswith("no stock")


def test_following_prints_a_line_as_it_comes(running: LocalTocsin, tmp_path: Path) -> None:
    """Whoever watches a deployment would see its lines when it is over."""
    command = [sys.executable, "-m", "tocsin", "logs", "--since", "9999d", "--limit", "1", "-f"]
    following = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        assert following.stdout is not None
        assert "no stock" in following.stdout.readline()
        while not running.collectors.logs.tail.followers:
            assert following.poll() is None
        send(running, {"time": START_MS + 2, "message": "restocked", "service": "shop"})
        assert following.stdout.readline().endswith("shop: restocked\n")
    finally:
        following.kill()
        following.communicate()
