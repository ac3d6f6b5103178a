"""``tocsin silence``, ``alerts`` and ``routes`` against a server, as somebody at a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import orjson
import pytest

from anomaly.testing import example_finding
from tests.tocsin.configuration.test_reload import settings
from tests.tocsin.test_asking_commands import run
from tocsin.testing import LocalTocsin, local_tocsin

INTERVALS = """
time_intervals:
  - name: always
    time_intervals: [{}]
"""
ROUTES = """
default: [{notifier: console, channel: stderr}]
routes:
  - name: searchers
    matchers: ['service.name=~"search.*"']
    to: [{notifier: console, channel: stderr}]
    mute_time_intervals: [always]
"""
INHIBIT = """
inhibit_rules:
  - {name: region down, source_matchers: [alertname=region/down], target_matchers: [kind=slo_burn],
     equal: [cloud.region]}
"""
MAINTENANCE = """
windows:
  - {name: upgrade, matchers: [service.name=billing], reason: TICKET-9, interval: always}
"""


@pytest.fixture(name="server")
def _server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    ops = tmp_path / "ops"
    ops.mkdir()
    texts = {"intervals": INTERVALS, "routes": ROUTES, "inhibit": INHIBIT}
    for name, text in (texts | {"maintenance": MAINTENANCE}).items():
        (ops / f"{name}.yaml").write_text(text)
    with local_tocsin(settings(tmp_path)) as running:
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        yield running


class Terminal:
    """Commands, and what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str, code: int = 0) -> str:
        """Return what a command prints, which ends with ``code``."""
        ended, out, err = run(self._capsys, self._monkeypatch, *words)
        assert ended == code, err
        return out + err


@pytest.fixture(name="tell")
def _tell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(capsys, monkeypatch)


def test_a_silence_from_beginning_to_end(server: LocalTocsin, tell: Terminal) -> None:
    """Made with a reason, seen, extended, ended; each says what it does."""
    server.desk.receive(example_finding(scope={"service.name": "shop"}))
    server.run(1)
    assert "hides 1 that fire now" in tell("silence", "preview", "service_name=shop")
    made = tell("silence", "add", "service.name=~sh.*", "--reason", "load", "--author", "ana")
    assert "by        ana" in made
    assert "hides 1 that fire now" in made
    silence_id = made.split()[0]
    listed = tell("silence", "list")
    assert silence_id in listed
    assert 'service.name=~"sh.*"' in listed
    before = orjson.loads(tell("silence", "show", silence_id, "--json"))["endsAt"]
    tell("silence", "extend", silence_id, "--for", "5h")
    assert orjson.loads(tell("silence", "show", silence_id, "--json"))["endsAt"] > before
    assert "expired" in tell("silence", "expire", silence_id)
    assert "no silences" in tell("silence", "list")
    assert "already expired" in tell("silence", "expire", silence_id, code=1)
    assert "there is no silence" in tell("silence", "show", "nobody", code=4)
    assert "Missing option '--reason'" in tell("silence", "add", "a=b", code=2)


def test_what_fires_and_why_it_is_told(server: LocalTocsin, tell: Terminal) -> None:
    """Whom it went to, or at which stage it ended."""
    assert "nothing fires" in tell("alerts", "list")
    server.desk.receive(example_finding(id="one", scope={"service.name": "shop"}))
    server.desk.receive(example_finding(id="two", scope={"service.name": "billing"}))
    server.run(1)
    listed = tell("alerts", "list")
    assert re.search(r"one +active .* console:stderr", listed)
    assert re.search(r"two +suppressed .* nowhere", listed)
    told = tell("alerts", "why", "one")
    assert "the default takes it" in told
    assert re.search(r"delivery +console:stderr, open: sent", told)
    assert re.search(
        r"x maintenance +in maintenance 'upgrade': TICKET-9", tell("alerts", "why", "two")
    )
    assert "nothing is known of 'three'" in tell("alerts", "why", "three", code=4)


@pytest.mark.parametrize(
    ("labels", "code", "said"),
    [
        (["service.name=shop"], 0, "tells console:stderr"),
        (["service.name=search"], 3, "route 'searchers' is mute: it is 'always'"),
        (["service.name=billing"], 3, "in maintenance 'upgrade': TICKET-9"),
        (["urgency=ticket"], 3, "urgency ticket: recorded, nobody is told"),
        (["kind=slo_burn", "cloud.region=eu"], 3, "inhibited by 'region down' while this fires"),
        (["kind=slo_burn", "cloud.region=us"], 0, "tells console:stderr"),
    ],
)
def test_what_would_be_told(
    server: LocalTocsin, tell: Terminal, labels: list[str], code: int, said: str
) -> None:
    """With the exit code for scripts that check a configuration."""
    cause = example_finding(id="c", rule="region/down", scope={"cloud.region": "eu"})
    server.desk.receive(cause)
    server.run(1)
    options = [word for label in labels for word in ("--label", label)]
    assert said in tell("routes", "test", *options, code=code)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v2/alerts", {"host": "alerts.example.net"}, 200),
        ("/api/v2/alerts", {"origin": "https://evil.example"}, 403),
        ("/api/v2/alerts", {"sec-fetch-site": "cross-site"}, 403),
        ("/api/v2/silences", {"host": "alerts.example.net"}, 403),
        ("/api/v2/silences", {"origin": "https://evil.example"}, 403),
    ],
)
def test_who_may_send_alerts_and_silence(
    server: LocalTocsin, path: str, headers: dict[str, str], status: int
) -> None:
    """Prometheus asks by whatever name it has for us; a page of others can do nothing."""
    url = f"{server.api.base_url}{path}"
    answer = httpx2.post(url, json=[], headers=headers, trust_env=False)
    assert answer.status_code == status
