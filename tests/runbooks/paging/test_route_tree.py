"""The tree of routes: who is told of what, when, and why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.findings import FindingState, Urgency
from collectors.clock import ManualClock
from collectors.errors import DocumentError
from runbooks.alerts.intervals import Period, TimeInterval
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.events import EventKind
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.settling import unsettled
from runbooks.paging.own_fault import own_fault
from runbooks.paging.route_tree import Route, Target, subject_of, walk
from runbooks.paging.routing import Routes, load_routes
from tests.runbooks.room import MakeDesk, MakeFinding

ROUTES = """
default: [{notifier: console, channel: default}]
routes:
  - name: everything
    to: [{notifier: console, channel: log}]
    continue: true
  - name: playback
    matchers: [service.name="playback"]
    to: [{notifier: console, channel: playback}]
    routes:
      - name: playback in europe
        matchers: ['cloud_region=~"eu-.*"', severity!="SEV4"]
        to: [{notifier: console, channel: europe}]
        continue: true
      - name: worst of playback
        match: {severity: SEV1}
        oncall: leads
  - name: playback again
    matchers: service.name=playback
    to: [{notifier: console, channel: never}]
"""
NIGHT = TimeInterval(name="night", periods=(Period(times=((0, 6 * 60),)),))
MIDNIGHT = 1_700_006_400_000
"""2023-11-15 00:00 UTC."""

HOUR = 3_600_000
HERE = Target(notifier="recording", channel="incidents")


def incident_of(make_finding: MakeFinding, severity: Severity, **changes: object) -> Incident:
    finding = make_finding(**changes)
    command = c.Open(incident_id="i", finding=finding, severity=severity, why="")
    return fold(decide(None, command, 0))


def loaded(tmp_path: Path, text: str) -> Routes:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    return load_routes(path)


@pytest.mark.parametrize(
    ("severity", "scope", "channels"),
    [
        (Severity.SEV2, {"service.name": "search"}, ["log"]),
        (Severity.SEV2, {"service.name": "playback"}, ["log", "playback"]),
        (
            Severity.SEV2,
            {"service.name": "playback", "cloud.region": "eu-west-1"},
            ["log", "europe"],
        ),
        (
            Severity.SEV1,
            {"service.name": "playback", "cloud.region": "eu-west-1"},
            ["log", "europe", "playback"],
        ),
        (
            Severity.SEV4,
            {"service.name": "playback", "cloud.region": "eu-west-1"},
            ["log", "playback"],
        ),
    ],
)
def test_the_deepest_that_matches_takes_it(
    tmp_path: Path,
    make_finding: MakeFinding,
    severity: Severity,
    scope: dict[str, str],
    channels: list[str],
) -> None:
    """As in Alertmanager: children before their parent, on with ``continue``, else no further."""
    routes = loaded(tmp_path, ROUTES)
    found = routes.targets(incident_of(make_finding, severity, scope=scope))
    assert [target.channel for target in found] == channels


def test_every_branch_says_why(tmp_path: Path, make_finding: MakeFinding) -> None:
    """Whoever asks why nobody was told sees where the way ended."""
    routes = loaded(tmp_path, ROUTES)
    incident = incident_of(make_finding, Severity.SEV2)
    told = [
        (branch.route.name, branch.depth, branch.refusal, branch.takes)
        for branch in walk(routes.routes, subject_of(incident))
    ]
    assert told == [
        ("everything", 0, "", True),
        ("playback", 0, "", True),
        (
            "playback in europe",
            1,
            '{cloud_region=~"eu-.*", severity!="SEV4"} does not match',
            False,
        ),
        ("worst of playback", 1, "severity SEV2 is none of SEV1", False),
    ]


def test_what_a_route_leaves_out_is_that_of_the_one_above(
    tmp_path: Path, make_finding: MakeFinding
) -> None:
    """Also the schedule."""
    routes = loaded(tmp_path, ROUTES)
    incident = incident_of(make_finding, Severity.SEV1)
    assert routes.schedule(incident) == "leads"
    assert [target.channel for target in routes.targets(incident)] == ["log", "playback"]


@pytest.mark.parametrize(
    ("mute", "active", "heard"),
    [
        (["night"], [], {0: False, 6: True}),
        ([], ["night"], {0: True, 6: False}),
        (["unknown"], ["unknown"], {0: True, 6: True}),
    ],
)
def test_a_route_is_mute_at_times(
    make_finding: MakeFinding, mute: list[str], active: list[str], heard: dict[int, bool]
) -> None:
    """An interval that is not there keeps nobody from being told."""
    route = Route(name="r", targets=(HERE,), mute=tuple(mute), active=tuple(active))
    routes = Routes(routes=(route,), intervals={"night": NIGHT})
    incident = incident_of(make_finding, Severity.SEV2)
    told = {hour: bool(routes.targets(incident, MIDNIGHT + hour * HOUR)) for hour in heard}
    assert told == heard
    why = {hour: routes.withheld(incident, MIDNIGHT + hour * HOUR) == "" for hour in heard}
    assert why == heard


def take(desk: IncidentDesk, *findings: object) -> None:
    for finding in findings:
        desk.receive(finding)  # type: ignore[arg-type]
    desk.tick()


def rings(recorder: RecordingNotifier) -> list[str]:
    return [d.channel for d in recorder.delivered if d.action is Action.OPEN]


def mute_desk(make_desk: MakeDesk, clock: ManualClock, **more: object) -> IncidentDesk:
    clock.advance_ms(MIDNIGHT - clock.now_ms())
    route = Route(name="sleepers", targets=(HERE,), mute=("night",))
    routes = Routes(routes=(route,), intervals={"night": NIGHT}, **more)  # type: ignore[arg-type]
    return make_desk(routes=routes)


def test_what_opens_in_a_mute_time_rings_at_its_end(
    make_desk: MakeDesk, clock: ManualClock, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """The incident is there at once, with the reason for the silence."""
    desk = mute_desk(make_desk, clock)
    take(desk, make_finding(started_ms=MIDNIGHT))
    clock.advance_ms(HOUR)
    desk.tick()
    [incident] = desk.ledger.incidents()
    texts = [e.text for e in desk.ledger.events(incident.id) if e.kind is EventKind.SUPPRESSED]
    assert texts == ["rings nobody: route 'sleepers' is mute: it is 'night'"]
    assert rings(recorder) == []
    clock.advance_ms(5 * HOUR)
    desk.tick()
    assert rings(recorder) == ["incidents"]


def test_who_slept_while_others_were_told_is_told_after(
    make_desk: MakeDesk, clock: ManualClock, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Whoever has acknowledged it is not rung again for that."""
    clock.advance_ms(MIDNIGHT - clock.now_ms())
    late = Target(notifier="recording", channel="day shift")
    routes = (
        Route(name="night shift", targets=(HERE,), goes_on=True),
        Route(name="day shift", targets=(late,), mute=("night",)),
    )
    desk = make_desk(routes=Routes(routes=routes, intervals={"night": NIGHT}))
    take(desk, make_finding(started_ms=MIDNIGHT))
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, c.Acknowledge(actor="ana"))
    told = []
    for _ in range(8):
        clock.advance_ms(HOUR)
        desk.tick()
        told.append(rings(recorder)[1:])
    assert told == [[]] * 5 + [["day shift"]] * 3


def test_our_own_faults_are_told_in_a_mute_time(
    make_desk: MakeDesk, clock: ManualClock, recorder: RecordingNotifier
) -> None:
    """That pages go nowhere must not wait for the morning."""
    desk = mute_desk(make_desk, clock)
    now_ms = clock.now_ms()
    fault = own_fault(
        "own/fault",
        "disk",
        title="disk fails",
        explanation="",
        scope={},
        expression="",
        since_ms=now_ms,
        now_ms=now_ms,
    )
    take(desk, fault)
    assert rings(recorder) == ["incidents"]


def test_tickets_have_a_way_of_their_own(
    make_desk: MakeDesk, clock: ManualClock, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """They are told once, mention nobody, ring once, and page where they get worse."""
    tickets = Target(notifier="recording", channel="tickets")
    desk = make_desk(routes=Routes(default=(HERE,), oncall="leads", tickets=(tickets,)))
    slow = make_finding(id="t", rule="slo/x/slow", urgency=Urgency.TICKET)
    take(desk, slow)
    [incident] = desk.ledger.incidents()
    assert (incident.severity, rings(recorder)) == (Severity.SEV4, ["tickets"])
    assert desk.called(incident) is None
    clock.advance_ms(10 * HOUR)
    desk.tick()
    assert rings(recorder) == ["tickets"]
    take(desk, make_finding(started_ms=clock.now_ms(), id="p"))
    assert rings(recorder)[-1] == "incidents"


def test_a_ticket_is_never_written_up(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """Nobody reviews what woke nobody."""
    desk = make_desk(routes=Routes(default=(HERE,), tickets=(HERE,)))
    slow = make_finding(urgency=Urgency.TICKET)
    take(desk, slow)
    clock.advance_ms(60_000)
    over = make_finding(
        urgency=Urgency.TICKET, state=FindingState.RESOLVED, ended_ms=clock.now_ms()
    )
    take(desk, over)
    clock.advance_ms(HOUR)
    desk.tick()
    [incident] = desk.ledger.incidents()
    assert not incident.is_open
    assert not (tmp_path / "post-mortems").exists()


def test_a_route_may_be_more_patient(
    make_desk: MakeDesk, clock: ManualClock, recorder: RecordingNotifier, make_finding: MakeFinding
) -> None:
    """Its own interval counts instead of the server's."""
    route = Route(name="calm", targets=(HERE,), repeat_ms=HOUR)
    desk = make_desk(routes=Routes(routes=(route,)))
    take(desk, make_finding())
    counts = []
    for _ in range(2):
        clock.advance_ms(HOUR // 2)
        desk.tick()
        counts.append(len(rings(recorder)))
    assert counts == [1, 2]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{name: a, to: [], matchers: [x=y]}", "routes[0].to: names no target"),
        ("{name: a, matchers: [x]}", "routes[0].matchers[0]: must be a matcher"),
        ("{name: a, to: [{notifier: console, channel: x}], repeat_interval: x}", "a duration"),
        ("{name: a, to: [{notifier: console, channel: x}], routes: [{to: []}]}", "name"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, route: str, said: str) -> None:
    """A route that tells nobody is found before the night that it is needed."""
    with pytest.raises(DocumentError) as refused:
        loaded(tmp_path, f"default: [{{notifier: console, channel: d}}]\nroutes: [{route}]")
    assert said in refused.value.message


def test_intervals_must_be_there(tmp_path: Path) -> None:
    """One that is misspelled would never be mute."""
    routes = loaded(
        tmp_path,
        "default: [{notifier: console, channel: d}]\nroutes:\n- name: a\n"
        "  to: [{notifier: console, channel: x}]\n  mute_time_intervals: [nigth]\n",
    )
    [mistake, *_] = routes.mistakes(unsettled(), (), ["night"])
    assert "no interval is called 'nigth'; did you mean 'night'?" in mistake.message
    assert mistake.line == 5
