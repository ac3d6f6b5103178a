"""What the doctor says of a running server: senders, lag, refusals."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from click.testing import CliRunner

from dashboards.testing import FakeApi, World
from tocsin.cli import group
from tocsin.repair.live import MAX_SHOWN, named_tocsin

NOW_MS = 1_700_000_000_000


@pytest.fixture(name="api", scope="module")
def _api() -> Iterator[FakeApi]:
    with FakeApi(World.quiet(NOW_MS)) as api:
        yield api


def look(api: FakeApi, *options: str) -> str:
    result = CliRunner().invoke(group, ["doctor", "--live", "--api-url", api.url, *options])
    assert result.exit_code == 0, result.output
    return result.output


def test_each_sender_is_a_line_and_the_worst_come_first(api: FakeApi) -> None:
    """Whoever is refused or silent must not be looked for among hundreds of others."""
    api.reset(World.quiet(NOW_MS))
    server, refused, silent, fine = look(api).splitlines()
    assert server.startswith("fine     server             0.1.0, up 1 h 6 min, 1,840 series")
    assert "rules are 7.4 s late" in server
    assert refused.startswith("warning  from 10.0.0.9")
    assert "refused 412, invalidLine: a line has a type" in refused
    assert silent.startswith("warning  from node")
    assert "last 5 min ago, usually every 15 s; OVERDUE" in silent
    assert fine.startswith("fine     from playback")
    assert "240 requests in an hour, 12,000 kept, last 3 s ago" in fine


def test_nobody_sends(api: FakeApi) -> None:
    """A server that nobody speaks to is worth a warning."""
    api.reset(World(now_ms=NOW_MS, empty=True))
    checks = orjson.loads(look(api, "--json"))["checks"]
    assert checks[-1] == {
        "name": "senders",
        "health": "warning",
        "detail": "nobody has sent anything",
    }


def test_thousands_of_senders_are_cut(api: FakeApi) -> None:
    """A terminal that scrolls for minutes tells nobody anything."""
    row: dict[str, object] = {"receiver": "otlp.metrics", "name": "api", "peer": "h", "agent": ""}
    row |= {"services": []}
    row |= {"first_ms": NOW_MS, "last_ms": NOW_MS, "interval_ms": None, "overdue": False}
    row |= {"requests": 1, "accepted": 1, "refused": [], "instance": ""}
    body = {"now_ms": NOW_MS, "window_ms": 3_600_000, "forgotten": 0, "sources": [row] * 250}
    api.reset(World.quiet(NOW_MS))
    api.answer_with("/api/v2/sources", 200, orjson.dumps(body).decode())
    lines = look(api).splitlines()
    assert len(lines) == MAX_SHOWN + 2
    assert "150 more" in lines[-1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["/venv/bin/python", "-m", "tocsin", "serve"], True),
        (["/venv/bin/python3.11", "/venv/bin/tocsin", "serve", "--json"], True),
        (["python", "-m", "pytest", "tests/tocsin/test_x.py"], False),
        (["nginx", "-c", "/etc/nginx.conf"], False),
        ([], False),
    ],
)
def test_a_process_is_known_by_its_command_line(words: list[str], *, expected: bool) -> None:
    """A stranger on the port would be called tocsin's own."""
    assert named_tocsin(words) is expected
