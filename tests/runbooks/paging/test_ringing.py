"""Told once is not told: people are rung as soon as what they believe is no longer true."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.findings import Finding, FindingState
from collectors.clock import ManualClock
from collectors.errors import ConflictError
from collectors.model import Tags
from runbooks.automation.runbook import Runbook
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.incidents import commands as c
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.card import Links
from runbooks.notifiers.delivery import Action, Delivery
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.ringing import elsewhere
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics
from tests.runbooks.room import MakeFinding

FLAT = FlatMetrics(before=0.0, after=2.0, onset_ms=1_700_000_000_000)
LINKS = Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2")
MIN = 60_000
STEP_MS = 5_000
HERE = {"service.name": "playback", "cloud.region": "us"}
THERE = {"service.name": "playback", "cloud.region": "eu"}


def take(desk: IncidentDesk, *findings: Finding) -> None:
    for finding in findings:
        desk.receive(finding)
    desk.tick()


def rings(recorder: RecordingNotifier) -> list[Delivery]:
    return [d for d in recorder.delivered if d.action is Action.OPEN]


def over(finding: Finding, clock: ManualClock) -> Finding:
    now_ms = clock.now_ms()
    return replace(finding, state=FindingState.RESOLVED, ended_ms=now_ms, updated_ms=now_ms)


def pass_by(desk: IncidentDesk, clock: ManualClock, ms: int) -> None:
    clock.advance_ms(ms)
    desk.tick()


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (HERE, {**HERE, "operation": "start"}, False),
        ({**HERE, "operation": "start"}, HERE, True),
        (HERE, HERE, False),
        (HERE, THERE, True),
        ({"service.name": "playback"}, THERE, False),
        ({}, HERE, True),
        ({}, {}, True),
    ],
)
def test_what_tells_of_what(
    make_finding: MakeFinding, before: Tags, after: Tags, news: bool
) -> None:
    """A service that fails as a whole is taken for its one operation, no scope for every scope."""
    known = make_finding(id="a", rule="slo/a", scope=before)
    finding = make_finding(id="b", rule="slo/b", scope=after)
    assert bool(elsewhere([known], [known, finding])) is news


def test_it_fires_again_after_a_person_resolved(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """An old card is edited, and nobody looks at it."""
    first = make_finding(scope=HERE)
    take(desk, first)
    take(desk, over(first, clock))
    desk.execute("inc-0001", c.SetStatus(status=Status.RESOLVED, actor="ann"))
    clock.advance_ms(42_000)
    take(desk, make_finding(id="again", scope=HERE, started_ms=clock.now_ms()))
    pass_by(desk, clock, STEP_MS)
    assert len(rings(recorder)) == 2
    assert "fires 42 s after resolution" in rings(recorder)[1].text


def test_an_onset_before_the_resolution_is_no_excuse(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """What pages now joins an incident that is over, because it may have begun before that."""
    take(desk, make_finding(scope=HERE))
    desk.execute("inc-0001", c.SetStatus(status=Status.RESOLVED, actor="ann"))
    clock.advance_ms(MIN)
    take(desk, make_finding(id="slow", rule="slo/latency", scope=HERE))
    pass_by(desk, clock, STEP_MS)
    assert len(rings(recorder)) == 2
    assert desk.ledger.incident("inc-0001").status is Status.INVESTIGATING


def test_a_second_place_rings(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A second region fails in the thread of the first, whose people sleep or look elsewhere."""
    take(desk, make_finding(scope=HERE))
    desk.execute("inc-0001", c.Acknowledge(actor="ann"))
    take(desk, make_finding(id="b", scope=THERE, title="Playback starts fail in eu"))
    assert len(rings(recorder)) == 1  # two loud messages keep a distance
    pass_by(desk, clock, 2 * STEP_MS)
    assert "also: Playback starts fail in eu" in rings(recorder)[1].text


def test_a_rise_in_severity_rings(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Who was told SEV3 goes on sleeping at SEV1; a fall wakes somebody."""
    take(desk, make_finding(scope=HERE))
    for severity in (Severity.SEV4, Severity.SEV1):
        clock.advance_ms(MIN)
        desk.execute("inc-0001", c.SetSeverity(severity=severity, actor="ann"))
        desk.tick()
    assert [d.text for d in rings(recorder)] == ["", "severity rose from SEV4 to SEV1"]


def test_a_thaw_after_the_resolution_rings(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """Data come back and show that it still burns, half an hour before anybody is told."""
    first = make_finding(scope=HERE)
    take(desk, first)
    take(desk, replace(first, state=FindingState.FROZEN))
    desk.execute("inc-0001", c.SetStatus(status=Status.RESOLVED, actor="ann"))
    clock.advance_ms(MIN)
    take(desk, replace(first, updated_ms=clock.now_ms()))
    assert len(rings(recorder)) == 2


def test_what_pages_after_its_incident_was_closed(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A finding of a closed incident is dropped when it fires on."""
    first = make_finding(scope=HERE)
    take(desk, first)
    take(desk, replace(first, state=FindingState.FROZEN))
    for status in (Status.RESOLVED, Status.CLOSED):
        desk.execute("inc-0001", c.SetStatus(status=status, actor="ann"))
    clock.advance_ms(MIN)
    take(desk, replace(first, updated_ms=clock.now_ms()))
    assert [d.card.incident_id for d in rings(recorder)] == ["inc-0001", "inc-0002"]


def test_many_places_at_once_ring_once(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A storm is a page for each place instead of one that names what is new."""
    take(desk, make_finding(scope=HERE))
    clock.advance_ms(MIN)
    for number in range(12):
        place = {"service.name": "playback", "cloud.region": f"r{number}"}
        take(desk, make_finding(id=f"r{number}", scope=place, title=f"starts fail in r{number}"))
    pass_by(desk, clock, 2 * STEP_MS)
    assert len(rings(recorder)) == 3
    assert all(f"r{n}" in rings(recorder)[2].text for n in range(1, 12))


def test_what_nobody_acknowledges_rings_again(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """One message at 3 a.m. is all that ever rings, or it rings on after somebody is on it."""
    take(desk, make_finding(scope=HERE))
    times = []
    for minute in range(1, 180):
        before = len(rings(recorder))
        pass_by(desk, clock, MIN)
        if len(rings(recorder)) > before:
            times.append(minute)
    assert times == [5, 15, 35, 75, 135]
    desk.execute("inc-0001", c.Acknowledge(actor="ann"))
    pass_by(desk, clock, 600 * MIN)
    assert len(rings(recorder)) == 6


def test_giving_up_is_no_recovery(
    desk: IncidentDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """A lasting outage is learned as normal, and its incident says that it is over."""
    first = make_finding(scope=HERE)
    take(desk, first)
    desk.execute("inc-0001", c.Acknowledge(actor="ann"))
    clock.advance_ms(60 * MIN)
    take(desk, replace(over(first, clock), given_up=True))
    pass_by(desk, clock, 60 * MIN)
    incident = desk.ledger.incident("inc-0001")
    assert incident.status is Status.INVESTIGATING
    assert incident.impact[-1].end_ms is None
    assert "not known to be over" in rings(recorder)[1].text


@dataclass
class Listener(RecordingNotifier):
    """Knows when it was rung for which incident."""

    clock: ManualClock
    heard: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("recording")

    def deliver(self, delivery: Delivery) -> str:
        if delivery.action is Action.OPEN:
            self.heard.append((self.clock.now_ms(), delivery.card.incident_id))
        return super().deliver(delivery)


SCOPES: list[Tags] = [HERE, THERE, {"service.name": "auth"}, {"service.name": "gateway"}, {}]
MOVES = st.one_of(
    st.tuples(st.just("fire"), st.integers(0, 9)),
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["acknowledge", "resolve", "close", "reopen"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["decline", "merge", "split"]), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 30, 200])),
)


@dataclass
class Play:
    """A desk, what fires in the world, and who was told."""

    desk: IncidentDesk
    clock: ManualClock
    listener: Listener
    make_finding: MakeFinding
    firing: dict[int, Finding] = field(default_factory=dict)
    promised: list[tuple[str, int]] = field(default_factory=list)

    def move(self, what: str, which: int) -> None:
        """Carry out one move and let a step pass."""
        if what == "fire" and which not in self.firing:
            self._fire(which)
        elif what == "end" and which in self.firing:
            self.desk.receive(over(self.firing.pop(which), self.clock))
        elif what in {"acknowledge", "resolve", "close", "reopen", "decline"}:
            self._press(what, which)
        elif what in {"merge", "split"}:
            self._regroup(what, which)
        for _ in range(which if what == "wait" else 1):
            self.desk.tick()
            self.clock.advance_ms(STEP_MS)
            self.desk.tick()

    def _fire(self, which: int) -> None:
        now_ms = self.clock.now_ms()
        finding = self.make_finding(
            id=f"{which}/{now_ms}",
            rule=f"slo/{which // 5}",
            scope=SCOPES[which % 5],
            started_ms=now_ms - 20_000,
            detected_ms=now_ms,
            updated_ms=now_ms,
        )
        known = {
            f.id
            for i in self.desk.ledger.incidents()
            if i.is_open
            for f in i.firing
            if f.id in {one.id for one in self.firing.values()}
        }
        told = [f for f in self.firing.values() if f.id in known]
        if elsewhere(told, [finding]):
            self.promised.append((finding.id, now_ms))
        self.firing[which] = finding
        self.desk.receive(finding)

    def _press(self, what: str, which: int) -> None:
        commands: dict[str, c.Command] = {
            "acknowledge": c.Acknowledge(actor="ann"),
            "resolve": c.SetStatus(status=Status.RESOLVED, actor="ann"),
            "close": c.SetStatus(status=Status.CLOSED, actor="ann"),
            "reopen": c.Reopen(actor="ann", text="not over"),
            "decline": c.Decline(actor="ann", text="a test"),
        }
        for incident in self.desk.ledger.incidents()[which : which + 1]:
            try:
                self.desk.execute(incident.id, commands[what])
            except ConflictError:
                continue  # not possible now: a person is told so

    def _regroup(self, what: str, which: int) -> None:
        """Merge one incident into the next, or split its last finding off; promise what is news."""
        incidents = self.desk.ledger.incidents()
        if which + 1 >= len(incidents):
            return
        one, other = incidents[which : which + 2]
        now_ms = self.clock.now_ms()
        moved = [f for f in one.findings.values() if f.id in {g.id for g in self.firing.values()}]
        try:
            if what == "merge":
                self.desk.responses.merge(one.id, other.id, "ann")
                news = elsewhere(other.findings.values(), moved)
            else:
                last = [*one.findings][-1]
                self.desk.responses.split(one.id, [last], "ann")
                news = [f for f in moved if f.id == last]
        except ConflictError:
            return  # not possible now: a person is told so
        self.promised += [(finding.id, now_ms) for finding in news if one.is_open]

    def _lineage(self, finding: str) -> set[str]:
        """Return the incidents that have or had a finding: people were rung for one of them."""
        found = {i.id for i in self.desk.ledger.incidents() if finding in i.findings}
        parts = [i for i in self.desk.ledger.incidents() if i.id in found]
        return found | {i.split_from for i in parts if i.split_from}

    def unheard(self) -> list[str]:
        """Return findings that were promised a ring and had none within two steps and a gap."""
        late = 4 * STEP_MS
        return [
            finding
            for finding, since in self.promised
            if not any(
                since <= at <= since + late and incident in self._lineage(finding)
                for at, incident in self.listener.heard
            )
        ]


@settings(max_examples=40)
@given(moves=st.lists(MOVES, max_size=25))
def test_every_page_worthy_state_has_rung(
    make_finding: MakeFinding,
    library: tuple[Runbook, ...],
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[str, int]],
) -> None:
    """Some order of findings and presses leaves an outage that nobody was rung for."""
    clock = ManualClock(1_700_000_000_000)
    listener = Listener(clock)
    desk = IncidentDesk(
        database_url="sqlite://",
        clock=clock,
        notifiers=[listener],
        routes=Routes(default=(Target(notifier="recording", channel="incidents"),)),
        library=library,
        edges=lambda: {("gateway", "playback")},
        metrics=FLAT,
        measures=[],
        links=LINKS,
        post_mortem_dir=tmp_path_factory.mktemp("post-mortems"),
        settings=DeskSettings(auto_resolve_s=60.0),
    )
    play = Play(desk, clock, listener, make_finding)
    try:
        for what, which in moves:
            play.move(what, which)
        play.move("wait", 4)
        assert play.unheard() == []
    finally:
        desk.stop()
