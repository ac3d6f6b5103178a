"""The incident desk: where findings arrive and people's commands are carried out.

::

    findings ──receive──▶ queue ──intake──▶ ledger ──commit──▶ events + outbox
    commands ─────────────────────────────────┘                     │
    people  ◀── notifiers ◀── courier ◀──────────────────────────────┤
    documents ◀── post-mortem writer ◀── resolved ───────────────────┘
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from anomaly.findings import Finding
from collectors.background import Background
from collectors.clock import Clock
from collectors.errors import StorageError, TocsinError
from collectors.host.faults import Faults
from runbooks.alerts.alerting import Alerting
from runbooks.alerts.decision_log import DecisionLog
from runbooks.alerts.similar import Similar, similar_to
from runbooks.automation.allowing import Allowed
from runbooks.automation.runbook import Runbook
from runbooks.automation.running.automation import Automation
from runbooks.desk.arrivals import Arrivals
from runbooks.desk.buttons import Buttons
from runbooks.desk.elapsing import Elapsing
from runbooks.desk.inbox import SlackInbox
from runbooks.desk.intake import MOVING_FINDINGS, EdgesReader, Intake
from runbooks.desk.ledger import Ledger, Subscriber
from runbooks.desk.notices import is_notice
from runbooks.desk.on_call import OnCall
from runbooks.desk.responses import Responses
from runbooks.desk.settings import Chore, DeskSettings
from runbooks.desk.shift import Shift
from runbooks.desk.unrecorded import Unrecorded
from runbooks.desk.vital_signs import VitalSigns
from runbooks.desk.waiting import INTAKE, Waiting
from runbooks.escalation.policy import Policy
from runbooks.heartbeats.watch import HeartbeatWatch
from runbooks.incidents.commands import Command, RecordPostMortem
from runbooks.incidents.database import DATABASE, open_database, probe
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status
from runbooks.notifiers.card import Called, Card, Links, card_of
from runbooks.notifiers.delivery import Notifier
from runbooks.notifiers.slack_interactions import Press
from runbooks.oncall.duty import Duty
from runbooks.paging.courier import Courier
from runbooks.paging.outbox import Outbox
from runbooks.paging.routing import FALLBACK, Routes, is_ticket
from runbooks.paging.ways import Ways
from runbooks.postmortem.action_store import ActionStore
from runbooks.postmortem.impact import ImpactMeasure, MetricReader
from runbooks.postmortem.shelf import Shelf
from runbooks.postmortem.writer import PostMortemWriter, Written

_log = structlog.get_logger(__name__)
MAX_AT_ONCE = 500
"""Findings that are dealt with in one transaction."""

FORGET_EVERY_MS = 60_000
UNRECORDED_AFTER_MS = 10_000
"""The database takes nothing for this long: what pages is told without a record."""

MAX_STOP_S = 10.0
"""A notifier that hangs does not keep the process from ending."""


class IncidentDesk:
    """Composes the room; a :class:`anomaly.findings.FindingSink`.

    Args:
        database_url: SQLAlchemy URL, such as ``sqlite:///data/incidents.db``.
        clock: The present.
        notifiers: Ways to reach people; each is used by the routes that carry its name.
        routes: Where pages go.
        library: Runbooks to propose.
        edges: Reads which service calls which, as (client, server) pairs; called for each new
            finding, so it must be quick.
        metrics: Evaluates the expressions behind a post-mortem's numbers.
        measures: What to count as impact.
        links: Public addresses of dashboard and API.
        post_mortem_dir: Where post-mortems are written.
        settings: Times and distances.
        slack_signing_secret: Verifies Slack's interactions; empty refuses all of them.
        duty: Who is on call; without it nobody is ever mentioned.
        faults: Hears of a database that fails.
        policies: Who is rung while nobody answers, by name.
        allowed: What runbooks' steps may reach.

    Attributes:
        slack: Takes what people ask in Slack beside pressing buttons; None: nobody does.
        ends: Called when it stops.
        waiting: Findings on their way in.
    """

    slack: SlackInbox | None = None

    def __init__(
        self,
        *,
        database_url: str,
        clock: Clock,
        notifiers: Sequence[Notifier],
        routes: Routes,
        library: Sequence[Runbook],
        edges: EdgesReader,
        metrics: MetricReader,
        measures: Sequence[ImpactMeasure],
        links: Links,
        post_mortem_dir: Path,
        settings: DeskSettings | None = None,
        slack_signing_secret: str = "",
        duty: Duty | None = None,
        faults: Faults | None = None,
        policies: Mapping[str, Policy] | None = None,
        allowed: Allowed | None = None,
    ) -> None:
        self.clock = clock
        self.library = {runbook.name: runbook for runbook in library}
        self.links = links
        self.measures = tuple(measures)
        given = self.settings = settings or DeskSettings()
        self.slack_signing_secret = slack_signing_secret
        self.faults = self._faults = faults or Faults(clock)
        self.engine = open_database(database_url, self._faults)
        self.ledger = Ledger(self.engine, routes, clock, self._faults, self.withheld)
        beats = HeartbeatWatch(self.engine, self.receive, clock)
        self.on_call = OnCall(self.ledger, duty, policies, self._faults, beats, self.withheld)
        self.decisions = DecisionLog(self.engine)
        self.alerting = Alerting(self.engine, clock)
        self.outbox = Outbox(self.engine)
        self.vital = VitalSigns(self.outbox, self._faults)
        kept = Shelf(self.engine), ActionStore(self.engine)
        self.post_mortems = PostMortemWriter(*kept, post_mortem_dir, metrics, self.measures, links)
        self.intake = Intake(
            self.ledger,
            self.decisions,
            library=library,
            edges=edges,
            rules=given.grouping,
            clock=clock,
            muting=self.alerting.muting,
        )
        self.automation = Automation(self.engine, self.ledger, metrics, clock, library, allowed)
        self._reach(notifiers, routes)
        self._present: Collection[Finding] | None = None
        self._failing_ms: int | None = None
        muting, escalates = self.alerting.muting, self.on_call.escalations.rings
        self._elapsing = Elapsing(self.ledger, self.intake, muting, given, clock, escalates)
        self.responses, self.waiting = Responses(self.ledger, clock), Waiting(given.max_waiting)
        self._buttons = Buttons(self.ledger, self.engine, clock, lambda: self.duty)
        self._forgot_ms = clock.now_ms()
        self._unwritten = deque(i.id for i in self.ledger.incidents() if _lacks_post_mortem(i))
        self._chores: list[Chore] = [self.on_call.tick]
        self._employ()
        self.ledger.subscribe(self._changed)
        self.ledger.hear(self._heard)

    def _employ(self) -> None:
        """Make the threads."""
        self._intaking = _worker("tocsin-intake", self._take_turn, interval_s=0.5)
        self._delivering = _worker("tocsin-courier", self._deliver, interval_s=0.25)
        self._writing = _worker("tocsin-post-mortems", self._write_post_mortems, interval_s=1.0)
        self._shift = Shift(self.ledger.sharing, self.outbox, self.clock)
        self._works: list[Callable[[], object]] = []
        self.ends: list[Callable[[], object]] = []
        self._workers = [self._intaking, self._delivering, self._writing]

    def _reach(self, notifiers: Sequence[Notifier], routes: Routes) -> None:
        """Set up the ways to people."""
        by_name = {one.name: one for one in notifiers}
        self.ways = Ways()
        self._last_way = (FALLBACK,) if FALLBACK.notifier in by_name else ()
        tell = self._arrivals = Arrivals(
            self.ledger, self.outbox, self.ways, self.receive, self.clock
        )
        self._arrivals.fallbacks = (*routes.default, *self._last_way)
        self._unrecorded = Unrecorded(by_name, self._drawn)
        self._courier = Courier(self.outbox, by_name, self.card, tell.report, tell.fall_over)

    def start(self) -> None:
        """Start the threads. What a killed process had claimed is looked up before it is sent."""
        self._shift.begin()
        for worker in self._workers:
            worker.start()
        self.automation.start()

    def stop(self) -> None:
        """Finish what is in hand and end the threads."""
        self.automation.stop()
        for end in self.ends:
            end()
        for worker in self._workers:
            worker.close(MAX_STOP_S)
        self.ledger.sharing.close()
        self.engine.dispose()

    def receive(self, finding: Finding) -> None:
        """Take note of ``finding``; returns at once. Over the limit it is counted and dropped."""
        if not self.waiting.put(finding):
            lost = f"{self.waiting.dropped:,} findings so far; what still fires is told again"
            self._faults.failed(INTAKE, place="the desk", reason="too many wait", lost=lost)
        self._intaking.request()

    @property
    def is_on_duty(self) -> bool:
        """Whether this process delivers pages, of those on the same database."""
        return self._shift.is_on

    @property
    def duty(self) -> Duty:
        """Who is on call, with the overrides that people have asked for."""
        return self.on_call.roster.duty

    @property
    def dropped_findings(self) -> int:
        """How many findings found no place; what still fires is told again soon."""
        return self.waiting.dropped

    def reconcile(self, present: Collection[Finding]) -> None:
        """Compare open incidents with ``present``, the findings that are firing or frozen now.

        Call it once after a start, when the engine has caught up: what ended while no process was
        there to be told would keep its incident open for ever. Returns at once; it is done before
        any finding is taken in.
        """
        self._present = present
        self._intaking.request()

    def begin_again(self, now_ms: int) -> None:
        """Take ``now_ms`` for the present: time was set back, and nothing waits for what was."""
        self._shift.begin_again(now_ms)
        self._delivering.request()

    def use(
        self,
        *,
        routes: Routes,
        duty: Duty,
        library: Sequence[Runbook],
        measures: Sequence[ImpactMeasure],
        policies: Mapping[str, Policy] | None = None,
        allowed: Allowed | None = None,
    ) -> None:
        """Go on with other routes, schedules, runbooks, measures; what was paged stays."""
        self.on_call.use(duty, policies)
        self.ledger.use_routes(routes)
        self._arrivals.fallbacks = (*routes.default, *self._last_way)
        self.library = {runbook.name: runbook for runbook in library}
        self.intake.library = tuple(library)
        self.automation.use(library, allowed or self.automation.runner.allowed)
        self.measures = self.post_mortems.measures = tuple(measures)

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out people's commands; see :meth:`runbooks.desk.ledger.Ledger.execute`.

        Raises:
            TooManyError: Somebody writes more notes than people can read.
        """
        return self.responses.execute(incident_id, *commands)

    def press(self, press: Press) -> None:
        """Keep the press of a Slack button, to be carried out after: Slack waits three seconds."""
        self._buttons.keep(press)
        self._intaking.request()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber`` after every change of an incident."""
        self.ledger.subscribe(subscriber)

    def add_chore(self, chore: Chore) -> None:
        """Call ``chore`` with the present in each turn of the intake, twice a second at least.

        It must be quick and bear what fails; one that raises is logged and called again.
        """
        self._chores.append(chore)

    def add_work(
        self, name: str, work: Callable[[], object], *, always: bool = False
    ) -> Background:
        """Before the start: do ``work`` over and over in a thread of its own, which is returned.

        Of processes on one database only the one on duty does, unless ``always``.
        """

        def run() -> None:
            if always or self._shift.is_on:
                work()

        self._works.append(run)
        self._workers.append(made := _worker(name, run, interval_s=1.0))
        return made

    def tick(self) -> None:
        """Do everything that is due, in the caller's thread: for tests and replays."""
        self._take_turn()
        self.automation.tick()
        self._deliver()
        for work in self._works:
            work()
        self._write_post_mortems()
        self._deliver()

    def _take_turn(self) -> None:
        """Take in what waits; while the database takes nothing, page without a record."""
        try:
            if self._shift.takes():
                present, self._present = self._present, None
                if present is not None:
                    self._reconcile(present)
            self._take_in()
        except (StorageError, SQLAlchemyError) as error:
            _log.warning("intake waits for the database", reason=str(error)[:200])
        self._mind_database()

    def _reconcile(self, present: Collection[Finding]) -> None:
        try:
            self.intake.reconcile(present)
        except (StorageError, SQLAlchemyError):
            self._present = self._present or present
            raise

    def _mind_database(self) -> None:
        if not self._faults.has(DATABASE):
            return
        now_ms = self.clock.now_ms()
        self._failing_ms = self._failing_ms or now_ms
        try:
            probe(self.engine)
        except StorageError:
            if now_ms - self._failing_ms >= UNRECORDED_AFTER_MS:
                verdict = self.alerting.muting.verdict
                waiting = [finding for finding in self.waiting.all() if not verdict(finding)]
                self._unrecorded.page(waiting, self.ledger.routes, self._arrivals.fallbacks, now_ms)
        else:
            self._failing_ms = None
            self._faults.over(DATABASE)
            self._unrecorded.forget()
            self._intaking.request()

    def _take_in(self) -> None:
        on_duty = self._shift.is_on
        if self.ledger.sharing.is_shared:
            self.ledger.refresh()
        if on_duty:
            self._buttons.carry_out()
        for ended in self.alerting.turn(self.ledger.incidents, self.clock.now_ms()):
            self.waiting.put(ended)
        while findings := self.waiting.take(MAX_AT_ONCE):
            try:
                self.intake.take(findings)
            except (StorageError, SQLAlchemyError):
                # Told once only when it is over: it must not be lost to a locked database.
                _log.exception("findings kept for later", findings=len(findings))
                self.waiting.put_back(findings)
                return
            except Exception:  # noqa: BLE001 - one finding's fault must not cost the others
                if not self._take_singly(findings):
                    return
        self._faults.over(INTAKE)
        self.intake.release()
        self.intake.tell_crowds()
        self._forget()
        if on_duty:
            self._elapsing.tick()
            self._do_chores()

    def _do_chores(self) -> None:
        self.vital.taken_in_ms = self.clock.now_ms()
        for chore in self._chores:
            try:
                chore(self.clock.now_ms())
            except (StorageError, SQLAlchemyError):
                raise
            except Exception:  # noqa: BLE001 - one part's fault must not cost the others
                _log.exception("chore failed", chore=getattr(chore, "__qualname__", repr(chore)))

    def _take_singly(self, findings: Sequence[Finding]) -> bool:
        """Take findings one by one; return False when the database fails: the rest waits again."""
        for position, finding in enumerate(findings):
            try:
                self.intake.take([finding])
            except (StorageError, SQLAlchemyError):
                _log.exception("findings kept for later", findings=len(findings) - position)
                self.waiting.put_back([*findings[position:]])
                return False
            except Exception:  # noqa: BLE001 - see where it is called
                _log.exception("finding not taken in", finding=finding.id)
        return True

    def _forget(self) -> None:
        now_ms = self.clock.now_ms()
        if now_ms - self._forgot_ms >= FORGET_EVERY_MS:
            self._forgot_ms = now_ms
            self.intake.forget_ended()

    def withheld(self, incident: Incident) -> str:
        """Return why an incident must ring nobody now; "" when it may."""
        held = self.alerting.muting.withheld(incident)
        return held or self.ledger.routes.withheld(incident, self.clock.now_ms())

    def _deliver(self) -> None:
        self.vital.delivered_ms = self.clock.now_ms()
        if not self._shift.takes():
            return
        self._shift.recover_stale()
        while self._courier.deliver_due(self.clock.now_ms):
            pass

    def _write_post_mortems(self) -> None:
        while self._unwritten and self._shift.is_on:
            incident = self.ledger.incident(self._unwritten.popleft())
            if not _lacks_post_mortem(incident):
                continue
            try:
                self.write_post_mortem(incident.id)
            except TocsinError:
                _log.exception("post-mortem not written", incident=incident.id)
                self._unwritten.append(incident.id)
                return

    def write_post_mortem(self, incident_id: str) -> None:
        """Write the post-mortem with what is known now; what people wrote stays.

        Raises:
            NotFoundError: There is no such incident.
            StorageError: It can't be written.
        """
        written = self._write(self.ledger.incident(incident_id))
        command = RecordPostMortem(file=written.markdown.name, blanks=written.blanks)
        self.ledger.execute(incident_id, command)

    def _write(self, incident: Incident) -> Written:
        proposed = incident.runbook
        return self.post_mortems.write(
            incident,
            self.ledger.events(incident.id),
            self.outbox.rows(incident.id),
            self.library.get(proposed.name) if proposed else None,
            self.similar(incident),
        )

    def _heard(self, incident: Incident) -> None:
        """Take note of what another process has done to an incident."""
        self.intake.learn(incident.id)
        if _lacks_post_mortem(incident) and incident.id not in self._unwritten:
            self._unwritten.append(incident.id)

    def _changed(self, incident: Incident, events: Sequence[Event]) -> None:
        if any(event.kind in MOVING_FINDINGS for event in events) or incident.is_declared:
            self.intake.learn(incident.id)
        if _lacks_post_mortem(incident) and incident.id not in self._unwritten:
            self._unwritten.append(incident.id)
            self._writing.request()
        if any(event.kind is not EventKind.PAGED for event in events):
            self._delivering.request()

    def card(self, incident_id: str) -> Card:
        """Return an incident as messages show it now."""
        if is_notice(incident_id):
            return self.on_call.notices.card(incident_id)
        incident = self.ledger.incident(incident_id)
        drawn = self._drawn(self.intake.crowds.present(incident.with_latest(self.intake.live)))
        return replace(drawn, diagnosis=self.automation.diagnosis_lines(incident_id))

    def called(self, incident: Incident) -> Called | None:
        """Return who is called for an incident now; None if its route names nobody."""
        return self.on_call.called(incident, self.clock.now_ms())

    def _drawn(self, incident: Incident) -> Card:
        card = card_of(incident, self.links, self.called(incident), self.similar(incident))
        held = self.withheld(incident) if incident.is_open else ""
        return replace(card, fields=(("Rings nobody", held), *card.fields[:9])) if held else card

    def similar(self, incident: Incident) -> list[Similar]:
        """Return past incidents that look like one."""
        return similar_to(incident, self.ledger.incidents(), self.intake.edges)


def _worker(name: str, work: Callable[[], object], *, interval_s: float) -> Background:
    return Background(name, work, interval_s=interval_s, last_run=True)


def _lacks_post_mortem(incident: Incident) -> bool:
    resolved_ms = incident.resolved_ms
    if incident.status is not Status.RESOLVED or resolved_ms is None:
        return False
    if is_ticket(incident):
        return False
    return incident.post_mortem_ms is None or incident.post_mortem_ms < resolved_ms
