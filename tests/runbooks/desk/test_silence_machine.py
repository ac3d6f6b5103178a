"""Whatever is silenced and expired while things fire and end: no page is lost, and none leaks."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anomaly.findings import Finding, FindingState
from anomaly.testing import example_finding
from collectors.clock import ManualClock
from collectors.errors import ConflictError
from runbooks.alerts.matchers import parse_matchers
from runbooks.alerts.silence import Silence
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.incidents.commands import Acknowledge
from runbooks.notifiers.card import Links
from runbooks.notifiers.delivery import Action, Delivery
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.paging.routing import Routes, Target
from runbooks.postmortem.flat_metrics import FlatMetrics

START_MS = 1_700_000_000_000
STEP_MS = 5_000
MINUTE = 60_000
SERVICES = st.sampled_from(["playback", "search"])


@dataclass(slots=True)
class Fired:
    """A finding that fires, since when it has, and since when it might have rung all the time."""

    finding: Finding
    since_ms: int
    free_ms: int | None = None


class Listener(RecordingNotifier):
    """Notes when it was rung, and for which incident."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.heard: list[tuple[int, str]] = []

    def deliver(self, delivery: Delivery) -> str:
        """Keep it."""
        if delivery.action is Action.OPEN:
            self.heard.append((self._clock.now_ms(), delivery.card.incident_id))
        return super().deliver(delivery)


class Silencing(RuleBasedStateMachine):
    """Two services that have nothing to do with one another, and somebody who silences them."""

    @initialize()
    def open(self) -> None:
        """Begin with nothing."""
        self.clock = ManualClock(START_MS)
        self.listener = Listener(self.clock)
        self.directory = tempfile.TemporaryDirectory(prefix="tocsin-silences-")
        self.desk = IncidentDesk(
            database_url="sqlite://",
            clock=self.clock,
            notifiers=[self.listener],
            routes=Routes(default=(Target(notifier="recording", channel="incidents"),)),
            library=[],
            edges=lambda: (),
            metrics=FlatMetrics(before=0.0, after=2.0, onset_ms=START_MS),
            measures=[],
            links=Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2"),
            post_mortem_dir=Path(self.directory.name),
            settings=DeskSettings(auto_resolve_s=60.0),
        )
        self.firing: dict[str, Fired] = {}
        self.made: list[tuple[str, Silence]] = []
        self.leaked: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        """Close what was opened."""
        self.desk.stop()
        self.directory.cleanup()

    @rule(service=SERVICES)
    def fire(self, service: str) -> None:
        """Something breaks, if it is not broken."""
        if service in self.firing:
            return
        self.number += 1
        now_ms = self.clock.now_ms()
        finding = example_finding(
            id=f"{service}/{self.number}",
            rule=f"slo/{service}/fast",
            scope={"service.name": service},
            started_ms=now_ms,
            detected_ms=now_ms,
            updated_ms=now_ms,
        )
        self.firing[service] = Fired(finding, now_ms)
        self.desk.receive(finding)
        self.step()

    @rule(service=SERVICES)
    def end(self, service: str) -> None:
        """It is well again."""
        fired = self.firing.pop(service, None)
        if fired is not None:
            now_ms = self.clock.now_ms()
            over = {"state": FindingState.RESOLVED, "ended_ms": now_ms, "updated_ms": now_ms}
            self.desk.receive(replace(fired.finding, **over))  # type: ignore[arg-type]
            self.step()

    @rule(service=SERVICES, begins=st.sampled_from([0, 0, 1]), lasts=st.integers(1, 20))
    def silence(self, service: str, begins: int, lasts: int) -> None:
        """Somebody silences it, now or soon."""
        starts_ms = self.clock.now_ms() + begins * MINUTE
        wanted = Silence(
            id="",
            matchers=parse_matchers([f"service.name={service}"]),
            starts_ms=starts_ms,
            ends_ms=starts_ms + lasts * MINUTE,
            updated_ms=0,
            author="ana",
            comment="noise",
        )
        self.made.append((service, self.desk.alerting.silences.put(wanted)))
        self.step()

    @rule(service=SERVICES, lasts=st.integers(1, 3))
    def break_silently(self, service: str, lasts: int) -> None:
        """It breaks while it is silenced for a little."""
        self.silence(service, 0, lasts)
        self.fire(service)

    @rule(which=st.integers(0, 5), minutes=st.integers(1, 20))
    def extend(self, which: int, minutes: int) -> None:
        """Somebody needs longer, or less long."""
        for _, silence in self.made[which : which + 1]:
            try:
                self.desk.alerting.silences.extend(
                    silence.id, max(silence.starts_ms, self.clock.now_ms()) + minutes * MINUTE
                )
            except ConflictError:
                continue  # it is over: somebody is told so
        self.step()

    @rule(which=st.integers(0, 5))
    def expire(self, which: int) -> None:
        """Somebody ends it."""
        for _, silence in self.made[which : which + 1]:
            try:
                self.desk.alerting.silences.expire(silence.id, "ben")
            except ConflictError:
                continue  # it is over already
        self.step()

    @rule(which=st.integers(0, 2))
    def acknowledge(self, which: int) -> None:
        """Somebody is on it: it need not ring for what it is now."""
        for incident in self.desk.ledger.incidents()[which : which + 1]:
            if incident.is_open and incident.acknowledged_by is None:
                self.desk.execute(incident.id, Acknowledge(actor="ana"))
                for fired in self.firing.values():
                    if fired.finding.id in incident.findings:
                        fired.since_ms = -1
        self.step()

    @rule(steps=st.sampled_from([1, 3, 12, 70, 300]))
    def wait(self, steps: int) -> None:
        """Time passes."""
        for _ in range(steps if steps < 13 else 3):
            self.step(STEP_MS * (1 if steps < 13 else steps // 3))

    def step(self, ms: int = STEP_MS) -> None:
        """Let a step pass, and look whether somebody was rung of what is silenced."""
        before = len(self.listener.heard)
        self.desk.tick()
        self.clock.advance_ms(ms)
        now_ms = self.clock.now_ms()
        self.desk.tick()
        # A silence that began within the step says nothing of the ring before it.
        for at_ms, incident_id in self.listener.heard[before:]:
            service = self.desk.ledger.incident(incident_id).scope_values("service.name")[0]
            if self.is_silenced(service, at_ms):
                self.leaked.append(f"{incident_id} at {at_ms}")
        for service, fired in self.firing.items():
            if self.is_silenced(service, now_ms):
                fired.free_ms = None
            elif fired.free_ms is None:
                fired.free_ms = now_ms

    def is_silenced(self, service: str, at_ms: int) -> bool:
        """Whether some silence as it is now holds for a service at a moment."""
        return any(
            of == service
            and (one := self.desk.alerting.silences.one(silence.id))
            and one.starts_ms <= at_ms < one.ends_ms
            for of, silence in self.made
        )

    @invariant()
    def nobody_is_rung_of_what_is_silenced(self) -> None:
        """A leak wakes whoever was promised sleep."""
        assert self.leaked == []

    @invariant()
    def whatever_may_ring_has_rung(self) -> None:
        """Two steps unacknowledged and not silenced are the longest that nobody may know of it."""
        now_ms = self.clock.now_ms()
        owners = {f: i.id for i in self.desk.ledger.incidents() for f in i.findings}
        unheard = [
            fired.finding.id
            for fired in self.firing.values()
            if fired.since_ms >= 0
            and fired.free_ms is not None
            and now_ms - fired.free_ms >= 2 * STEP_MS
            and not any(
                at_ms >= fired.since_ms and incident_id == owners.get(fired.finding.id)
                for at_ms, incident_id in self.listener.heard
            )
        ]
        assert unheard == []


Silencing.TestCase.settings = settings(max_examples=25, stateful_step_count=30)
TestSilencing = Silencing.TestCase
