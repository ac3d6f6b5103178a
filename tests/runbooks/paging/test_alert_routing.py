"""Where pages go, and what is wrong with a file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.errors import DocumentError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.states import Severity
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.settling import unsettled
from runbooks.paging.routing import Target, load_routes
from tests.runbooks.room import MakeDesk, MakeFinding

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
def test_first_match_wins(
    tmp_path: Path, make_finding: MakeFinding, severity: Severity, region: str, channels: list[str]
) -> None:
    """Every condition of a match must hold; the default takes the rest."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    finding = make_finding(scope={"cloud.region": region})
    command = c.Open(incident_id="i", finding=finding, severity=severity, why="")
    incident = fold(decide(None, command, 0))
    routes = load_routes(path)
    assert [target.channel for target in routes.targets(incident)] == channels
    assert routes.notifiers() == {"slack", "webhook"}


def test_severity_raised_pages_more_people(
    make_desk: MakeDesk, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """An incident that grows worse reaches the route of its new severity, and stays on the old."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)
    notifiers = [RecordingNotifier("slack"), RecordingNotifier("webhook")]
    desk = make_desk(routes=load_routes(path), notifiers=notifiers)
    mild = make_finding(kind="anomaly", observed=90.0, baseline=100.0, values={})
    desk.receive(mild)
    desk.tick()
    desk.receive(make_finding(id="b"))
    desk.tick()
    opened = [[d.channel for d in n.delivered if d.action == "open"] for n in notifiers]
    assert opened == [["incidents", "war"], ["pager"]]
    [incident] = desk.ledger.incidents()
    assert incident.severity is Severity.SEV2


NOBODY = "names no target; write - {notifier: slack, channel: incidents}"
ONE = "default: &one [{notifier: console, channel: b}]\n"
BROKEN = [
    ("", 1, "(document)", "is empty"),
    ("default: [", 1, "(document)", "this is not YAML: expected the node content, but found "),
    ("routes: []\n", 1, "default", "is required"),
    ("default:\n", 1, "default", "is required, but empty here"),
    ("default: []\n", 1, "default", NOBODY),
    ("default: slack\n", 1, "default", "must be a list, got 'slack'"),
    (
        "default:\n- {notifier: console, chanel: b}\n",
        2,
        "default[0].chanel",
        "unknown field; did you mean 'channel'?",
    ),
    (
        "default:\n- {notifier: true, channel: b}\n",
        2,
        "default[0].notifier",
        "must be one of apprise, console, mail, pagerduty, slack, webhook, got true",
    ),
    (
        "default:\n- {notifier: slak, channel: b}\n",
        2,
        "default[0].notifier",
        "must be one of apprise, console, mail, pagerduty, slack, webhook, got 'slak'; did you",
    ),
    (
        ONE + "routes:\n- to: *one\n  name: x\n  match: {severity: [SEV1, SEVEN1]}\n",
        5,
        "routes[0].match.severity[1]",
        "must be one of SEV1, SEV2, SEV3, SEV4, SEV5, got 'SEVEN1'; did you mean 'SEV1'?",
    ),
    (ONE + "routes:\n- name: x\n", 3, "routes[0].to", "is required"),
    (ONE + "routes:\n- {name: x, to: []}\n", 3, "routes[0].to", NOBODY),
    (
        ONE + "routes:\n- name: x\n  to: *one\n  match:\n    region: {a: b}\n",
        6,
        "routes[0].match.region",
        "must be a list, got a mapping",
    ),
]


@pytest.mark.parametrize(("text", "line", "field", "message"), BROKEN)
def test_broken_files(tmp_path: Path, text: str, line: int, field: str, message: str) -> None:
    """A page would go nowhere, and nobody would know why."""
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load_routes(path)
    assert caught.value.message.startswith(f"{path}:{line}: {field}: {message}")


def test_a_country_is_no_falsehood(tmp_path: Path) -> None:
    """Norway's incidents would go to everybody else's channel."""
    path = tmp_path / "routes.yaml"
    path.write_text(ONE + "routes:\n- {name: north, to: *one, match: {country: [NO, SE]}}\n")
    (route,) = load_routes(path).routes
    assert route.scope == (("country", frozenset({"NO", "SE"})),)


def test_the_demos_routes_load() -> None:
    """The demo platform's own file is right."""
    here = Path(__file__).parents[3]
    routes = load_routes(here / "demo_stack/ops/routes.yaml")
    assert routes.default == (Target(notifier="slack", channel="incidents"),)


def test_notifiers_that_are_not_set_up_are_told_on_the_console(tmp_path: Path) -> None:
    """Without a token every page of Slack's routes would end nowhere."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)

    routes = load_routes(path).reaching({"console", "webhook"})

    console = Target(notifier="console", channel="stderr")
    assert routes.default == (console,)
    assert [route.targets for route in routes.routes] == [
        (console, Target(notifier="webhook", channel="pager")),
        (console,),
    ]


def test_a_route_to_what_cannot_be_set_up_is_a_mistake(tmp_path: Path) -> None:
    """A page would be refused at night for what could have been told by day."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES)

    (mistake,) = load_routes(path).mistakes(unsettled())

    assert (mistake.line, mistake.field) == (9, "routes[0].to[1].notifier")
    assert mistake.reason == "webhook is not set up; tell it in notifiers.yaml where to"
