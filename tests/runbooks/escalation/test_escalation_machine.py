"""Any history of findings, presses, silences and time: what must ring is on its way to somebody."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from collectors.errors import ConflictError
from runbooks.desk.desk import IncidentDesk
from runbooks.escalation import store
from runbooks.escalation.course import LAPSE
from runbooks.escalation.keeping import rings
from runbooks.escalation.policy import Level, Policy
from runbooks.escalation.store import RunState
from runbooks.incidents.commands import Acknowledge, Note, Reopen, SetSeverity, SetStatus
from runbooks.incidents.events import EventKind
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.card import Links
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.oncall.duty import Duty
from runbooks.oncall.people import Person
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics
from tests.runbooks.conftest import BASE, T0

POLICY = Policy(
    name="pay",
    title="Pay",
    levels=(
        Level(people=("ana",), timeout_ms=60_000),
        Level(schedules=("gone",), timeout_ms=60_000),
        Level(people=("ben",), timeout_ms=120_000),
    ),
    repeats=1,
    acknowledge_timeout_ms=600_000,
)
PEOPLE = {name: Person(id=name, name=name.title()) for name in ("ana", "ben")}
ID = "inc-0001"
_LIVE = {RunState.RUNNING, RunState.EXHAUSTED}


class Escalating(RuleBasedStateMachine):
    """A desk with one incident and a policy, in everybody's hands."""

    @initialize()
    def open(self) -> None:
        """It begins with a page."""
        self.home = tempfile.TemporaryDirectory()
        self.clock = ManualClock(T0 + 10_000)
        self.desk = self._desk()
        self.desk.receive(BASE)
        self.desk.tick()

    def _desk(self) -> IncidentDesk:
        return IncidentDesk(
            database_url=f"sqlite:///{self.home.name}/incidents.db",
            clock=self.clock,
            notifiers=[RecordingNotifier()],
            routes=Routes(
                default=(Target(notifier="recording", channel="incidents"),), escalation="pay"
            ),
            library=(),
            edges=set,
            metrics=FlatMetrics(before=0.0, after=2.0, onset_ms=T0),
            measures=(),
            links=Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2"),
            post_mortem_dir=Path(self.home.name) / "post-mortems",
            duty=Duty(people=PEOPLE),
            policies={"pay": POLICY},
        )

    def _do(self, command: Any) -> None:
        with suppress(ConflictError):
            self.desk.execute(ID, command)

    @rule(seconds=st.sampled_from([1, 30, 61, 130, 700]))
    def wait(self, seconds: int) -> None:
        """Time passes, and is looked at once."""
        self.clock.advance_ms(seconds * 1_000)
        self.desk.on_call.tick(self.clock.now_ms())

    @rule(who=st.sampled_from(["ana", "ben"]))
    def acknowledge(self, who: str) -> None:
        """Somebody is on it."""
        self._do(Acknowledge(actor=who))

    @rule(status=st.sampled_from([Status.MITIGATED, Status.RESOLVED, Status.IDENTIFIED]))
    def move(self, status: Status) -> None:
        """Work goes on."""
        self._do(SetStatus(status=status, actor="ana"))

    @rule()
    def reopen(self) -> None:
        """It is back, says a person."""
        self._do(Reopen(actor="ben", text="still slow"))

    @rule(severity=st.sampled_from([*Severity]))
    def set_severity(self, severity: Severity) -> None:
        """It is better or worse."""
        self._do(SetSeverity(severity=severity, actor="ana"))

    @rule()
    def note(self) -> None:
        """Somebody writes."""
        self._do(Note(actor="ana", text="looking"))

    @rule(state=st.sampled_from([FindingState.FIRING, FindingState.RESOLVED]))
    def find(self, state: FindingState) -> None:
        """The finding fires, or is over."""
        now_ms = self.clock.now_ms()
        ended_ms = now_ms if state is FindingState.RESOLVED else None
        self.desk.receive(replace(BASE, state=state, updated_ms=now_ms, ended_ms=ended_ms))
        self.desk.tick()

    @rule()
    def restart(self) -> None:
        """The process dies and another takes over."""
        self.desk.engine.dispose()
        self.desk = self._desk()

    @invariant()
    def what_must_ring_is_on_its_way(self) -> None:
        """Either a step is due, or all have been taken; and nothing is due otherwise."""
        with self.desk.engine.connect() as connection:
            run = store.latest_run(connection, ID)
            due = store.due_steps(connection, 2**62)
        assert run is not None
        numbers = [one.step.number for one in due if one.incident_id == ID]
        assert all(one.generation == run.generation for one in due if one.incident_id == ID)
        if not rings(self.desk.ledger.incident(ID)):
            assert set(numbers) <= {LAPSE}
            assert run.state not in _LIVE
        elif run.state is RunState.EXHAUSTED:
            assert numbers == []
        else:
            assert run.state is RunState.RUNNING
            assert len(numbers) == 1
            assert numbers[0] >= 0

    @invariant()
    def steps_follow_in_order(self) -> None:
        """Each run takes its steps once each, from the first, and none after a younger began."""
        taken: dict[int, list[int]] = {}
        for event in self.desk.ledger.events(ID):
            if event.kind is EventKind.ESCALATED:
                generation, number = int(event.data["generation"]), int(event.data["step"])  # type: ignore[arg-type]
                assert generation == max([generation, *taken])
                taken.setdefault(generation, []).append(number)
        for numbers in taken.values():
            rung = [number for number in numbers if number != LAPSE]
            assert rung == [*range(len(rung))]

    def teardown(self) -> None:
        """Close it."""
        if hasattr(self, "desk"):
            self.desk.stop()
            self.home.cleanup()


TestEscalating = Escalating.TestCase
TestEscalating.settings = settings(
    max_examples=8,
    stateful_step_count=18,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
