"""Where pages go, and what is wrong with a file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.errors import DocumentError
from runbooks.alerts.routing import Target, load_routes
from runbooks.incidents import commands as c
from runbooks.incidents.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.states import Severity

ROUTES = """
default:
  - {notifier: slack, channel: incidents}
routes:
  - name: worst
    match: {severity: [SEV1, SEV2], cloud.region: us-east-1}
    to:
      - {notifier: slack, channel: war}
      - {notifier: webhook, channel: pager}
  - name: europe
    match: {cloud.region: [eu-west-1, eu-west-2]}
    to: [{notifier: slack, channel: europe}]
"""


@pytest.mark.parametrize(
    ("severity", "region", "channels"),
    [
        (Severity.SEV1, "us-east-1", ["war", "pager"]),
        (Severity.SEV3, "us-east-1", ["incidents"]),
        (Severity.SEV1, "eu-west-2", ["europe"]),
        (Severity.SEV1, "ap-south-1", ["incidents"]),
    ],
)
def test_first_match_wins(tmp_path, make_finding, severity, region, channels):
    """Every condition of a match must hold; the default takes the rest."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    finding = make_finding(scope={"cloud.region": region})
    command = c.Open(incident_id="i", finding=finding, severity=severity, why="")
    incident = fold(decide(None, command, 0))
    routes = load_routes(path)
    assert [target.channel for target in routes.targets(incident)] == channels
    assert routes.notifiers == {"slack", "webhook"}


def test_severity_raised_pages_more_people(make_desk, make_finding, recorder, tmp_path):
    """An incident that grows worse reaches the route of its new severity, and stays on the old."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES.replace("slack", "recording").replace("webhook", "recording"))
    desk = make_desk(routes=load_routes(path))
    mild = make_finding(kind="anomaly", observed=90.0, baseline=100.0, values={})
    desk.receive(mild)
    desk.tick()
    desk.receive(make_finding(id="b"))
    desk.tick()
    opened = [d.channel for d in recorder.delivered if d.action == "open"]
    assert opened == ["incidents", "war", "pager"]
    [incident] = desk.ledger.incidents()
    assert incident.severity is Severity.SEV2


BROKEN = {
    "empty": ("", "is empty", "(document)", 1),
    "no YAML": ("default: [", "not YAML", "(document)", 1),
    "no default": ("routes: []\n", "is required", "default", 1),
    "misspelt": ("default:\n- {notifier: a, chanel: b}\n", "unknown", "default[0].chanel", 2),
    "severity": (
        "default: &t [{notifier: a, channel: b}]\nroutes: [{to: *t,\n\n\nmatch: {severity: SEV7}, name: x}]",
        "one of SEV1, SEV2, SEV3, SEV4",
        "routes[0].match.severity",
        4,
    ),
    "no target": ("default: []\n", "names no target", "default", 1),
    "list wanted": ("default: slack\n", "must be a list", "default", 1),
    "number": ("default:\n- {notifier: true, channel: b}\n", "be text", "default[0].notifier", 2),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path, name):
    """File, line and field of the mistake, and what would be right."""
    text, message, field, line = BROKEN[name]
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError, match=message) as caught:
        load_routes(path)
    assert (caught.value.file, caught.value.field) == (str(path), field)
    assert caught.value.line in {line, line + 1}


def test_the_demos_routes_load():
    """The demo platform's own file is right."""
    here = Path(__file__).parents[3]
    routes = load_routes(here / "demo_stack/ops/routes.yaml")
    assert routes.default == (Target(notifier="slack", channel="incidents"),)
