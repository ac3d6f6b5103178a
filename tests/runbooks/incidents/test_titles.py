"""The title of an incident follows the truth; what was said before stays in its log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.findings import Finding, FindingKind, FindingState
from runbooks.api.views import charts
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import Event, EventKind, JsonValue
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
OVER = FindingState.RESOLVED


def log_of(*steps: Finding, title: str = "") -> list[Event]:
    """Return the log of an incident of the first finding that takes the others in."""
    first, *others = steps
    opened = c.Open(incident_id="i", finding=first, severity=Severity.SEV2, why="", title=title)
    events = list(decide(None, opened, T0))
    for one in others:
        events += decide(fold(events), c.AddFinding(finding=one, why="near"), T0 + 1)
    return events


def test_the_title_passes_on_when_its_finding_is_over(make_finding: MakeFinding) -> None:
    """A title of what is over sends people to the wrong region."""
    east = make_finding(id="east", title="Starts fail in us-east-1")
    west = make_finding(id="west", title="Starts fail in eu-west-1", started_ms=T0 + 1)
    over = make_finding(id="east", title="Starts fail in us-east-1", state=OVER, ended_ms=T0 + 2)
    events = log_of(east, west, over)
    assert fold(events).title == "Starts fail in eu-west-1"
    told = [event for event in events if event.kind is EventKind.RETITLED]
    assert [event.text for event in told] == [
        "now called: Starts fail in eu-west-1; before: Starts fail in us-east-1"
    ]
    assert "Starts fail in us-east-1" in events[0].text


def test_users_come_before_machines(make_finding: MakeFinding) -> None:
    """An incident that a machine's figure opened is called by what users feel, once that fires."""
    machine = make_finding(id="m", kind=FindingKind.ANOMALY, title="Cache hits fell")
    users = make_finding(id="u", title="Starts fail", started_ms=T0 + 5_000)
    assert fold(log_of(machine, users)).title == "Starts fail"
    assert fold(log_of(users, machine)).title == "Starts fail"


def test_one_that_is_as_loud_does_not_take_the_title(make_finding: MakeFinding) -> None:
    """A title that changes with each finding that joins is a name nobody can say aloud."""
    first = make_finding(id="a", title="Starts fail in us-east-1")
    earlier = make_finding(id="b", title="Starts fail in eu-west-1", started_ms=T0 - 60_000)
    events = log_of(first, earlier)
    assert fold(events).title == "Starts fail in us-east-1"
    assert EventKind.RETITLED not in {event.kind for event in events}


@pytest.mark.parametrize("title", ["", "Many failures at once; first: Starts fail"])
def test_the_last_title_and_an_own_one_stay(title: str, make_finding: MakeFinding) -> None:
    """What ended keeps the name it was known by; one of its own is nobody's to take."""
    first = make_finding(title="Starts fail")
    over = make_finding(title="Starts fail, now at 0.1 %", state=OVER, ended_ms=T0 + 2)
    assert fold(log_of(first, over, title=title)).title == (title or "Starts fail")


def test_a_page_that_got_worse_says_so_in_the_title(make_finding: MakeFinding) -> None:
    """The number in the title and the number beside it would be two for one thing."""
    first = make_finding(title="Starts fail: 8 %", observed=0.08)
    worse = make_finding(title="Starts fail: 40 %", observed=0.4)
    assert fold(log_of(first, worse)).title == "Starts fail: 40 %"


def test_exemplars_and_charts_are_of_what_fires(make_finding: MakeFinding) -> None:
    """A trace or a chart of what is over, elsewhere, shows a request that went well since."""
    traces = {"east": "e" * 32, "west": "f" * 32}
    east, west = (
        make_finding(id=name, exemplar_trace_ids=(trace,), expression=f"name,{name},:eq")
        for name, trace in traces.items()
    )
    over = replace(west, state=OVER)
    fires = fold(log_of(over, east))
    assert fires.exemplar_trace_ids == (traces["east"],)
    assert [chart["expr"] for chart in drawn(fires)] == [east.expression]
    ended = fold(log_of(over, east, replace(east, state=OVER)))
    assert set(ended.exemplar_trace_ids) == {*traces.values()}
    assert {chart["expr"] for chart in drawn(ended)} == {east.expression, west.expression}


def drawn(incident: Incident) -> list[dict[str, JsonValue]]:
    return [one for one in charts(incident, ()) if isinstance(one, dict)]
