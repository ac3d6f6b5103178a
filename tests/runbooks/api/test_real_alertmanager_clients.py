"""A real Prometheus sends its alerts here, and a real amtool lists and silences them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from collectors.clock import SystemClock
from collectors.receivers.testing.prometheus import PROMETHEUS, eventually, run_prometheus
from runbooks.alerts.matchers import parse_matchers
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.route_tree import Route, Target
from runbooks.paging.routing import Routes
from tests.runbooks.room import MakeDesk, ServeDesk

AMTOOL = shutil.which("amtool")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.patient,
    pytest.mark.skipif(not (PROMETHEUS and AMTOOL), reason="prometheus or amtool is missing"),
]
# Prometheus knows whom to tell five seconds after its start, and tells again a minute later.
RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: OrdersFail
        expr: vector(1) == 1
        labels: {severity: critical, service: shop}
        annotations: {summary: "Orders fail"}
        for: 6s
      - alert: Searches
        expr: vector(1) == 1
        labels: {severity: critical, service: search}
        for: 6s
"""


class Amtool:
    """The program, against one address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, *arguments: str) -> str:
        """Return what it prints; raise where it fails."""
        command = [str(AMTOOL), f"--alertmanager.url={self._url}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the JSON that it prints."""
        found: list[dict[str, Any]] = json.loads(self(*arguments, "-o", "json"))
        return found


def titles(desk: IncidentDesk) -> list[str]:
    desk.tick()
    return sorted(incident.title for incident in desk.ledger.incidents() if incident.is_open)


def test_prometheus_to_pages_and_amtool(
    tmp_path: Path, make_desk: MakeDesk, serve_desk: ServeDesk, recorder: RecordingNotifier
) -> None:
    """Silenced before it is sent it rings nobody; when that is expired it rings."""
    desk = make_desk(clock=SystemClock())
    url = str(serve_desk(desk).base_url).rstrip("/")
    amtool = Amtool(url)
    made = amtool("silence", "add", "service=~sea.*", "-a", "ana", "-c", "reindexing", "-d", "1h")
    silence_id = made.strip()
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    address = url.removeprefix("http://")
    config = (
        f"global: {{evaluation_interval: 1s}}\nrule_files: [{rules}]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{address}']}}]}}]}}\n"
    )
    with run_prometheus(tmp_path, lambda _port: config):
        eventually(lambda: titles(desk) == ["Orders fail"])
        eventually(lambda: len(amtool.rows("alert", "query", "-s")) == 1)
        [active] = amtool.rows("alert", "query")
        assert active["labels"] == {
            "alertname": "OrdersFail",
            "service": "shop",
            "severity": "critical",
        }
        assert active["generatorURL"].startswith("http://")
        assert [d.action for d in recorder.delivered].count(Action.OPEN) == 1
        [listed] = amtool.rows("silence", "query")
        assert (listed["id"], listed["comment"]) == (silence_id, "reindexing")
        amtool("silence", "expire", silence_id)
        assert amtool.rows("silence", "query") == []
        eventually(lambda: len(titles(desk)) == 2)
        assert [d.action for d in recorder.delivered].count(Action.OPEN) == 2
    assert all(incident.status is Status.TRIAGE for incident in desk.ledger.incidents())


def test_amtool_adds_an_alert(make_desk: MakeDesk, serve_desk: ServeDesk) -> None:
    """What its other words need is there, too."""
    desk = make_desk(clock=SystemClock())
    amtool = Amtool(str(serve_desk(desk).base_url).rstrip("/"))
    amtool("alert", "add", "Manual", "service=shop", "--annotation=summary=By hand")
    assert titles(desk) == ["By hand"]
    assert "Manual" in amtool("alert", "query", "service=shop")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["service_name=shop", "severity=SEV1"], "recording:war"),
        (["service_name=shop", "severity=SEV3"], "recording:shop"),
        (["service_name=search"], "recording:incidents"),
    ],
)
def test_amtool_tries_our_routes(
    make_desk: MakeDesk, serve_desk: ServeDesk, labels: list[str], receiver: str
) -> None:
    """The tree is written as Alertmanager would."""
    war, shop, rest = (
        Target(notifier="recording", channel=name) for name in ("war", "shop", "incidents")
    )
    worst = Route(name="worst", targets=(war,), severities=frozenset({Severity.SEV1}))
    matchers = parse_matchers(["service.name=~sh.*"])
    tree = {"matchers": matchers, "routes": (worst,), "mute": ("night",), "repeat_ms": 60_000}
    route = Route(name="shop", targets=(shop,), **tree)  # type: ignore[arg-type]
    desk = make_desk(routes=Routes(default=(rest,), routes=(route,)))
    amtool = Amtool(str(serve_desk(desk).base_url).rstrip("/"))
    assert amtool("config", "routes", "test", *labels).strip() == receiver
    assert "recording:war" in amtool("config", "routes", "show")
