"""Escalations as a team lives them: levels, answers, nobody there, lapses, kills, two processes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from collectors.errors import ConflictError
from runbooks.alerts.matchers import parse_matchers
from runbooks.alerts.silence import Silence
from runbooks.desk.desk import IncidentDesk
from runbooks.escalation.policy import Level, Policy
from runbooks.incidents.commands import Acknowledge, Note, SetSeverity, SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.oncall.duty import Duty
from runbooks.oncall.local_time import DAY_MS, local
from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Layer, Override, Schedule
from runbooks.paging.routing import Routes, Target
from tests.runbooks.conftest import T0
from tests.runbooks.room import MakeDesk, MakeFinding

UTC = ZoneInfo("UTC")
MINUTE = 60_000
PEOPLE = {
    "ana": Person(id="ana", name="Ana", slack="U0ANA"),
    "ben": Person(id="ben", name="Ben", slack="U0BEN", ways=(("recording", "@ben"),)),
    "cleo": Person(id="cleo", name="Cleo"),
}
INCIDENTS = Target(notifier="recording", channel="incidents")
EVERYONE = Target(notifier="recording", channel="everyone")


def schedule(name: str, person: str) -> Schedule:
    since: date = local(T0 - DAY_MS, UTC).date()
    overrides = () if person else (Override(person="", start_ms=0, end_ms=T0 * 2),)
    layer = Layer(name="all", people=(person or "ana",), since=since)
    return Schedule(name=name, title=name, zone=UTC, layers=(layer,), overrides=overrides)


def duty(**schedules: str) -> Duty:
    found = {name: schedule(name, person) for name, person in schedules.items()}
    return Duty(schedules=found, people=PEOPLE)


POLICY = Policy(
    name="pay",
    title="Payments",
    levels=(
        Level(schedules=("first",), timeout_ms=5 * MINUTE),
        Level(people=("ben", "cleo"), timeout_ms=10 * MINUTE),
    ),
    repeats=1,
    fallback=(EVERYONE,),
)


class Team:
    """A desk with a policy, and a hand on its clock."""

    def __init__(
        self,
        make_desk: MakeDesk,
        clock: ManualClock,
        recorder: RecordingNotifier,
        policy: Policy = POLICY,
        on: Duty | None = None,
    ) -> None:
        self.clock, self.recorder = clock, recorder
        self.changes: Mapping[str, object] = {
            "routes": Routes(default=(INCIDENTS,), escalation=policy.name),
            "policies": {policy.name: policy},
            "duty": on or duty(first="ana"),
        }
        self.make_desk = make_desk
        self.desk: IncidentDesk = make_desk(**self.changes)

    def wait(self, minutes: float) -> None:
        """Let minutes pass, a look every ten seconds."""
        for _ in range(int(minutes * 6)):
            self.clock.advance_ms(10_000)
            self.desk.tick()

    @property
    def rung(self) -> list[tuple[str, str]]:
        """Every loud message: channel, and whom it calls."""
        return [
            (d.channel, d.card.called.words.split(";")[0] if d.card.called else "")
            for d in self.recorder.delivered
            if d.action == "open"
        ]

    @property
    def escalated(self) -> list[str]:
        """What is on the timeline."""
        (incident,) = self.desk.ledger.incidents()
        events = self.desk.ledger.events(incident.id)
        return [e.text for e in events if e.kind is EventKind.ESCALATED]


@pytest.fixture
def team(
    make_desk: MakeDesk,
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> Team:
    found = Team(make_desk, clock, recorder)
    found.desk.receive(make_finding())
    found.desk.tick()
    return found


FIRST = "Rung: Ana (Payments, level 1 of 2)"
SECOND = "Rung: Ben, Cleo (Payments, level 2 of 2)"


def test_levels_are_rung_until_nobody_is_left(team: Team) -> None:
    """Each level calls its own people; a person's own way rings too; at the end all are told."""
    team.wait(33)

    # A channel's first message goes before another's next.
    assert team.rung == [
        ("incidents", FIRST),
        ("@ben", SECOND),
        ("incidents", SECOND),
        ("incidents", "Rung: Ana (Payments, level 1 of 2, round 2 of 2)"),
        ("incidents", "Rung: Ben, Cleo (Payments, level 2 of 2, round 2 of 2)"),
        ("@ben", "Rung: Ben, Cleo (Payments, level 2 of 2, round 2 of 2)"),
        ("everyone", "Escalation exhausted: nobody answered (Payments)"),
        ("incidents", "Escalation exhausted: nobody answered (Payments)"),
    ]
    assert team.escalated == [
        FIRST,
        SECOND,
        "Rung: Ana (Payments, level 1 of 2, round 2 of 2)",
        "Rung: Ben, Cleo (Payments, level 2 of 2, round 2 of 2)",
        "ESCALATION EXHAUSTED: nobody acknowledged; Payments has no further step",
    ]


@pytest.mark.parametrize(
    "answer",
    [Acknowledge(actor="ana"), SetStatus(status=Status.RESOLVED, actor="ana")],
)
def test_an_answer_stops_it(team: Team, answer: Acknowledge | SetStatus) -> None:
    """Whoever is on it needs no second person woken."""
    team.wait(4)
    team.desk.execute("inc-0001", answer)
    team.wait(29)

    assert team.rung == [("incidents", FIRST)]


def test_who_is_rung_is_looked_up_at_the_step(team: Team) -> None:
    """A hand-over between the opening and a step rings the new person, by the old policy."""
    team.desk.use(
        routes=Routes(default=(INCIDENTS,)),
        duty=duty(first="cleo"),
        library=(),
        measures=(),
        policies={},
    )
    team.wait(16)

    assert [who for _, who in team.rung][-1] == "Rung: Cleo (Payments, level 1 of 2, round 2 of 2)"


def test_nobody_on_call_rings_the_next_level_at_once(
    make_desk: MakeDesk,
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """Five minutes of nobody would be five minutes lost; and it is said."""
    team = Team(make_desk, clock, recorder, on=duty(first=""))
    team.desk.receive(make_finding())
    team.desk.tick()

    assert team.escalated == [
        (
            "Rung: NOBODY (Payments, level 1 of 2: nobody is on call by the schedule first); "
            "the next level is rung at once"
        ),
        SECOND,
    ]
    assert sorted(team.rung) == [("@ben", SECOND), ("incidents", SECOND)]


def test_nobody_at_any_level_is_told_to_the_fallback_at_once(
    make_desk: MakeDesk,
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """The incident is opened all the same, and everybody is told."""
    level = Level(schedules=("first",), timeout_ms=MINUTE)
    policy = Policy(name="pay", title="Payments", levels=(level,), repeats=9, fallback=(EVERYONE,))
    team = Team(make_desk, clock, recorder, policy, duty(first=""))
    team.desk.receive(make_finding())
    team.desk.tick()

    assert sorted(channel for channel, _ in team.rung) == ["everyone", "incidents"]
    assert team.escalated[-1] == (
        "ESCALATION EXHAUSTED: nobody is on call at any level; Payments has no further step"
    )
    assert len(team.escalated) == 2


def test_worse_begins_again_and_the_older_run_does_nothing(team: Team) -> None:
    """At SEV1 the first level is asked again; the step of the run before rings nobody."""
    team.wait(4)
    worse = SetSeverity(severity=Severity.SEV1, actor="ana")
    team.desk.execute("inc-0001", worse)
    team.wait(2)

    assert team.escalated == [FIRST, FIRST]
    team.wait(3.5)
    assert team.escalated == [FIRST, FIRST, SECOND]
    assert team.desk.on_call.escalations.state("inc-0001") == {
        "policy": "pay",
        "title": "Payments",
        "state": "running",
        "generation": 2,
        "level": 2,
        "levels": 2,
        "round": 1,
        "rounds": 2,
        "who": ["Ben", "Cleo"],
        "started_ms": T0 + 10_000 + 4 * MINUTE,
        "ended_ms": None,
        "next_step_ms": T0 + 20_000 + 19 * MINUTE,
    }


def test_further_findings_put_nothing_off(team: Team, make_finding: MakeFinding) -> None:
    """A storm that begins the first level anew each minute would never reach the second."""
    team.desk.execute("inc-0001", SetSeverity(severity=Severity.SEV1, actor="ana"))
    for minute in range(1, 7):
        place = {"service.name": "playback", "cloud.region": f"eu-{minute}"}
        team.desk.receive(make_finding(id=f"f{minute}", scope=place, updated_ms=T0 + minute))
        team.wait(1)

    assert team.escalated == [FIRST, FIRST, SECOND]


def test_what_is_over_rings_nobody(team: Team, make_finding: MakeFinding) -> None:
    """What has mitigated itself waits for the morning; what comes back begins anew."""
    team.wait(1)
    ended = make_finding(state=FindingState.RESOLVED, ended_ms=T0 + MINUTE)
    team.desk.receive(ended)
    team.wait(8)
    assert team.escalated == [FIRST]

    team.desk.receive(make_finding(updated_ms=team.clock.now_ms()))
    team.wait(5.5)
    assert team.escalated == [FIRST, FIRST, SECOND]


def test_an_acknowledgement_lapses_if_nothing_comes_of_it(
    make_desk: MakeDesk,
    clock: ManualClock,
    recorder: RecordingNotifier,
    make_finding: MakeFinding,
) -> None:
    """Who acknowledged and fell asleep is rung again; every note puts it off."""
    policy = Policy(
        name="pay", title="Payments", levels=POLICY.levels, acknowledge_timeout_ms=30 * MINUTE
    )
    team = Team(make_desk, clock, recorder, policy)
    team.desk.receive(make_finding())
    team.desk.tick()
    team.desk.execute("inc-0001", Acknowledge(actor="ana"))
    team.wait(20)
    team.desk.execute("inc-0001", Note(actor="ana", text="looking at the cache"))
    team.wait(29)
    assert team.escalated == [FIRST]

    team.wait(1.5)
    assert team.escalated == [
        FIRST,
        "the acknowledgement lapses: nobody has done anything for 30 min; rung again",
        FIRST,
    ]
    assert len(team.rung) == 2
    team.desk.execute("inc-0001", Acknowledge(actor="ana"))
    team.wait(10)
    assert len(team.escalated) == 3


def test_two_processes_take_a_step_once(team: Team) -> None:
    """Both see the step due; one takes it, the other comes too late."""
    other = team.make_desk(**team.changes)
    team.clock.advance_ms(5 * MINUTE)
    for desk in (other, team.desk, other):
        desk.on_call.escalations.tick(team.clock.now_ms())

    team.desk.tick()
    events = team.desk.ledger.events("inc-0001")
    assert [e.text for e in events if e.kind is EventKind.ESCALATED] == [FIRST, SECOND]


def test_a_killed_process_leaves_the_step_to_the_next(team: Team) -> None:
    """What was not committed did not happen; the next process rings it, late rather than never."""
    team.clock.advance_ms(5 * MINUTE)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    team.desk.ledger.keep_beside(killed)
    with pytest.raises(KeyboardInterrupt):
        team.desk.on_call.escalations.tick(team.clock.now_ms())

    team.desk = team.make_desk(instead=True, **team.changes)
    team.wait(0.5)
    assert team.escalated == [FIRST, SECOND]
    assert sorted(channel for channel, _ in team.rung) == ["@ben", "incidents", "incidents"]


def test_a_step_that_is_stopped_can_not_be_taken(team: Team) -> None:
    """The answer and the step in one instant: the answer counts, and nothing is rung."""
    other = team.make_desk(**team.changes)
    team.desk.execute("inc-0001", Acknowledge(actor="ana"))
    team.clock.advance_ms(5 * MINUTE)
    other.tick()

    assert team.escalated == [FIRST]
    with pytest.raises(ConflictError):
        team.desk.execute("inc-0001", Acknowledge(actor="ben"))


def test_a_silence_uses_up_no_level(team: Team) -> None:
    """Nobody is rung meanwhile, and the auditor knows why; after it the next level is rung."""
    team.wait(1)
    now_ms = team.clock.now_ms()
    team.desk.alerting.silences.put(
        Silence(
            id="",
            matchers=parse_matchers(["service.name=playback"]),
            starts_ms=now_ms,
            ends_ms=now_ms + 20 * MINUTE,
            updated_ms=0,
            author="ana",
            comment="known",
        )
    )
    team.wait(19)
    team.desk.on_call.auditor.tick(team.clock.now_ms())
    assert team.escalated == [FIRST]
    assert team.rung == [("incidents", FIRST)]
    assert team.desk.on_call.auditor.latest.stalled == 0

    team.wait(2)
    assert team.escalated == [FIRST, SECOND]
