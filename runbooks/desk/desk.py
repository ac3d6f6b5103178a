"""The incident desk: where findings arrive and people's commands are carried out.

::

    findings ──receive──▶ queue ──intake──▶ ledger ──commit──▶ events + outbox
    commands ─────────────────────────────────┘                     │
    people  ◀── notifiers ◀── courier ◀──────────────────────────────┤
    documents ◀── post-mortem writer ◀── resolved ───────────────────┘
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from anomaly.findings import Finding, FindingState, Urgency
from collectors.background import Background
from collectors.clock import Clock
from collectors.errors import StorageError, TocsinError
from collectors.host.faults import Faults
from runbooks.alerts.decision_log import DecisionLog
from runbooks.alerts.grouping import GroupingRules
from runbooks.automation.runbook import Runbook
from runbooks.desk.buttons import Buttons
from runbooks.desk.calling import called_for
from runbooks.desk.intake import EdgesReader, Intake
from runbooks.desk.ledger import Ledger, Subscriber
from runbooks.desk.unrecorded import Unrecorded
from runbooks.desk.waiting import MAX_WAITING, Waiting
from runbooks.incidents.commands import (
    Command,
    RecordPage,
    RecordPostMortem,
    Reopen,
    RingAgain,
    SetStatus,
)
from runbooks.incidents.database import DATABASE, open_database, probe
from runbooks.incidents.decide import holding
from runbooks.incidents.events import MACHINE, Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import IMPACTED_STATUSES, Status
from runbooks.notifiers.card import Called, Card, Links, card_of
from runbooks.notifiers.delivery import Action, Notifier
from runbooks.notifiers.slack_interactions import Press
from runbooks.oncall.duty import Duty
from runbooks.paging.courier import Courier
from runbooks.paging.outbox import Outbox, OutboxRow, RowState
from runbooks.paging.routing import FALLBACK, Routes
from runbooks.paging.ways import Ways, name_of, next_way
from runbooks.postmortem.impact import ImpactMeasure, MetricReader
from runbooks.postmortem.writer import PostMortemWriter, Written
from tocsin.client.wording import duration

_log = structlog.get_logger(__name__)
MAX_AT_ONCE = 500
"""Findings that are dealt with in one transaction."""

FORGET_EVERY_MS = 60_000
STALE_CLAIM_MS = 180_000
UNRECORDED_AFTER_MS = 10_000
"""The database takes nothing for this long: what pages is told without a record."""

MAX_RING_AGAIN_S = 3_600.0
MAX_STOP_S = 10.0
"""A notifier that hangs does not keep the process from ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSettings:
    """Numbers that an operator may change.

    Attributes:
        auto_resolve_s: A mitigated incident is resolved after being stable for this long, seconds.
        still_firing_s: An incident that a person resolved while it fired is reopened if it fires
            this long after, seconds.
        ring_again_s: A page that nobody acknowledges rings again after this long, then after twice
            as long and so on, at most hourly; seconds.
        grouping: How near findings must be to belong together.
        max_waiting: Findings that wait to be taken in; further ones are dropped and counted.
    """

    auto_resolve_s: float = 600.0
    still_firing_s: float = 1_800.0
    ring_again_s: float = 300.0
    grouping: GroupingRules = field(default_factory=GroupingRules)
    max_waiting: int = MAX_WAITING


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
    """

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
    ) -> None:
        self.duty = duty or Duty()
        self.clock = clock
        self.library = {runbook.name: runbook for runbook in library}
        self.links = links
        self.measures = tuple(measures)
        self.settings = settings or DeskSettings()
        self.slack_signing_secret = slack_signing_secret
        self._faults = faults or Faults(clock)
        self.engine = open_database(database_url, self._faults)
        self.ledger = Ledger(self.engine, routes, clock, self._faults)
        self.decisions = DecisionLog(self.engine)
        self.outbox = Outbox(self.engine)
        self.post_mortems = PostMortemWriter(post_mortem_dir, metrics, self.measures, links)
        self.intake = Intake(
            self.ledger,
            self.decisions,
            library=library,
            edges=edges,
            rules=self.settings.grouping,
            clock=clock,
        )
        by_name = {notifier.name: notifier for notifier in notifiers}
        self.ways = Ways()
        self._last_way = (FALLBACK,) if FALLBACK.notifier in by_name else ()
        self._fallbacks = (*routes.default, *self._last_way)
        self._unrecorded = Unrecorded(by_name, self._drawn)
        self._present: Collection[Finding] | None = None
        self._failing_ms: int | None = None
        self._courier = Courier(self.outbox, by_name, self._card, self._report, self._fall_over)
        self._buttons = Buttons(self.ledger, self.engine, clock)
        self._waiting = Waiting(self.settings.max_waiting)
        self._recovered_ms = self._forgot_ms = clock.now_ms()
        self._unwritten: deque[str] = deque(
            i.id for i in self.ledger.incidents() if _lacks_post_mortem(i)
        )
        self._intaking = _worker("tocsin-intake", self._take_turn, interval_s=0.5)
        self._delivering = _worker("tocsin-courier", self._deliver, interval_s=0.25)
        self._writing = _worker("tocsin-post-mortems", self._write_post_mortems, interval_s=1.0)
        self._workers = (self._intaking, self._delivering, self._writing)
        self.ledger.subscribe(self._changed)

    def start(self) -> None:
        """Start the threads. What a killed process had claimed is looked up before it is sent."""
        self._recovered_ms = self.clock.now_ms()
        self.outbox.recover(self._recovered_ms + 1)
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Finish what is in hand and end the threads."""
        for worker in self._workers:
            worker.close(MAX_STOP_S)
        self.engine.dispose()

    def receive(self, finding: Finding) -> None:
        """Take note of ``finding``; returns at once. Over the limit it is counted and dropped."""
        if not self._waiting.put(finding) and self._waiting.dropped == 1:
            _log.error("finding dropped: the intake is behind", finding=finding.id)
        self._intaking.request()

    @property
    def dropped_findings(self) -> int:
        """How many findings found no place; what still fires is told again soon."""
        return self._waiting.dropped

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
        self._recovered_ms = now_ms
        with suppress(SQLAlchemyError):
            self.outbox.begin_again(now_ms)
        self._delivering.request()

    def use(
        self,
        *,
        routes: Routes,
        duty: Duty,
        library: Sequence[Runbook],
        measures: Sequence[ImpactMeasure],
    ) -> None:
        """Go on with other routes, schedules, runbooks, measures; what was paged stays."""
        self.duty = duty
        self.ledger.use_routes(routes)
        self._fallbacks = (*routes.default, *self._last_way)
        self.library = {runbook.name: runbook for runbook in library}
        self.intake.library = tuple(library)
        self.measures = self.post_mortems.measures = tuple(measures)

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out people's commands; see :meth:`runbooks.desk.ledger.Ledger.execute`."""
        return self.ledger.execute(incident_id, *commands)

    def press(self, press: Press) -> None:
        """Keep the press of a Slack button, to be carried out after: Slack waits three seconds."""
        self._buttons.keep(press)
        self._intaking.request()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call ``subscriber`` after every change of an incident."""
        self.ledger.subscribe(subscriber)

    def tick(self) -> None:
        """Do everything that is due, in the caller's thread: for tests and replays."""
        self._take_turn()
        self._deliver()
        self._write_post_mortems()
        self._deliver()

    def _take_turn(self) -> None:
        """Take in what waits; while the database takes nothing, page without a record."""
        try:
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
                waiting = self._waiting.all()
                self._unrecorded.page(waiting, self.ledger.routes, self._fallbacks, now_ms)
        else:
            self._failing_ms = None
            self._faults.over(DATABASE)
            self._unrecorded.forget()
            self._intaking.request()

    def _take_in(self) -> None:
        self._buttons.carry_out()
        while findings := self._waiting.take(MAX_AT_ONCE):
            try:
                self.intake.take(findings)
            except (StorageError, SQLAlchemyError):
                # Told once only when it is over: it must not be lost to a locked database.
                _log.exception("findings kept for later", findings=len(findings))
                self._waiting.put_back(findings)
                return
            except Exception:  # noqa: BLE001 - one finding's fault must not cost the others
                if not self._take_singly(findings):
                    return
        self.intake.tell_crowds()
        self._forget()
        self._move_on()

    def _take_singly(self, findings: Sequence[Finding]) -> bool:
        """Take findings one by one; return False when the database fails: the rest waits again."""
        for position, finding in enumerate(findings):
            try:
                self.intake.take([finding])
            except (StorageError, SQLAlchemyError):
                _log.exception("findings kept for later", findings=len(findings) - position)
                self._waiting.put_back([*findings[position:]])
                return False
            except Exception:  # noqa: BLE001 - see where it is called
                _log.exception("finding not taken in", finding=finding.id)
        return True

    def _forget(self) -> None:
        now_ms = self.clock.now_ms()
        if now_ms - self._forgot_ms >= FORGET_EVERY_MS:
            self._forgot_ms = now_ms
            self.intake.forget_ended()

    def _move_on(self) -> None:
        """Resolve what has been stable for long enough; reopen what was resolved too early."""
        now_ms = self.clock.now_ms()
        for incident in self.ledger.incidents():
            if self._is_stable(incident, now_ms):
                text = f"stable for {duration(self.settings.auto_resolve_s)}"
                command = SetStatus(status=Status.RESOLVED, actor=MACHINE, text=text)
                self.ledger.execute(incident.id, command)
            elif still := self._still_firing(incident, now_ms):
                text = f"still firing {duration(self.settings.still_firing_s)} after: {still}"
                self.ledger.execute(incident.id, Reopen(actor=MACHINE, text=text))
            elif self._unheard(incident, now_ms):
                text = f"rung again: nobody has acknowledged it; {incident.title}"
                self.ledger.execute(incident.id, RingAgain(text=text))

    def _unheard(self, incident: Incident, now_ms: int) -> bool:
        """Whether something still pages that nobody has acknowledged since people were rung."""
        if incident.acknowledged_by is not None or incident.rung_ms is None:
            return False
        if incident.status not in IMPACTED_STATUSES:
            return False
        pages = incident.more_firing > 0 or any(f.urgency is Urgency.PAGE for f in incident.firing)
        patience_s = self.settings.ring_again_s * 2 ** min(incident.reminders, 10)
        patience_s = min(patience_s, max(self.settings.ring_again_s, MAX_RING_AGAIN_S))
        return pages and now_ms - incident.rung_ms >= patience_s * 1000

    def _is_stable(self, incident: Incident, now_ms: int) -> bool:
        if incident.status is not Status.MITIGATED or incident.mitigated_ms is None:
            return False
        if incident.more_firing:
            return False
        if any(f.state is not FindingState.RESOLVED for f in _holding(incident)):
            return False
        return now_ms - incident.mitigated_ms >= self.settings.auto_resolve_s * 1000

    def _still_firing(self, incident: Incident, now_ms: int) -> str:
        """Return what fires on so long after a person resolved it, "" if nothing does."""
        resolved_ms = incident.resolved_ms
        if incident.status is not Status.RESOLVED or resolved_ms is None:
            return ""
        if now_ms - resolved_ms < self.settings.still_firing_s * 1000:
            return ""
        for finding in incident.firing:
            live = self.intake.live.get(finding.id)
            paging = live is not None and live.urgency is Urgency.PAGE
            if paging and live is not None and live.updated_ms > resolved_ms >= live.detected_ms:
                return live.title
        return self.intake.crowds.title(incident.id)

    def _deliver(self) -> None:
        now_ms = self.clock.now_ms()
        if now_ms - self._recovered_ms > STALE_CLAIM_MS:
            # A claim this old was left behind by a worker that could not note how it went.
            self.outbox.recover(now_ms - STALE_CLAIM_MS)
            self._recovered_ms = now_ms
        while self._courier.deliver_due(self.clock.now_ms):
            pass

    def _write_post_mortems(self) -> None:
        while self._unwritten:
            incident = self.ledger.incident(self._unwritten.popleft())
            if not _lacks_post_mortem(incident):
                continue
            try:
                written = self._write(incident)
            except TocsinError:
                _log.exception("post-mortem not written", incident=incident.id)
                self._unwritten.append(incident.id)
                return
            command = RecordPostMortem(file=written.markdown.name, blanks=written.blanks)
            self.ledger.execute(incident.id, command)

    def _write(self, incident: Incident) -> Written:
        proposed = incident.runbook
        return self.post_mortems.write(
            incident,
            self.ledger.events(incident.id),
            self.outbox.rows(incident.id),
            self.library.get(proposed.name) if proposed else None,
        )

    def _changed(self, incident: Incident, events: Sequence[Event]) -> None:
        if _lacks_post_mortem(incident) and incident.id not in self._unwritten:
            self._unwritten.append(incident.id)
            self._writing.request()
        if any(event.kind is not EventKind.PAGED for event in events):
            self._delivering.request()

    def _card(self, incident_id: str) -> Card:
        incident = self.ledger.incident(incident_id)
        return self._drawn(self.intake.crowds.present(incident.with_latest(self.intake.live)))

    def called(self, incident: Incident) -> Called | None:
        """Return who is on call for an incident now; None if its route names no schedule."""
        schedule = self.ledger.routes.schedule(incident)
        return called_for(self.duty, schedule, self.clock.now_ms())

    def _drawn(self, incident: Incident) -> Card:
        return card_of(incident, self.links, self.called(incident))

    def _fall_over(self, row: OutboxRow, reason: str) -> None:
        """Let a page take the next way, and say that its own way fails."""
        now_ms = self.clock.now_ms()
        found = self.ways.failed(row.target, reason, now_ms)
        instead = next_way(row.target, self._fallbacks)
        told = f"{name_of(row.target)} did not take this page: {reason}"
        if instead is not None:
            self.outbox.fall_over(row, instead, told, now_ms)
        way = "there is no other way" if instead is None else f"{name_of(instead)} is told instead"
        _log.error("page not delivered", incident=row.incident_id, reason=reason, way=way)
        command = RecordPage(
            notifier=row.notifier,
            channel=row.channel,
            outbox_id=row.id,
            failure=f"{reason}; {way}",
        )
        self.ledger.execute(row.incident_id, command)
        if found is not None:
            self.receive(found)

    def _report(self, row: OutboxRow, state: RowState, reason: str) -> None:
        """Put pages, and everything that finally failed, on the incident's record."""
        if state is RowState.SENT:
            ended = self.ways.worked(row.target, self.clock.now_ms())
            if ended is not None:
                self.receive(ended)
            if row.action is not Action.OPEN:
                return
        if row.state is RowState.UNKNOWN and self._is_recorded(row):
            return
        failure = "" if state is RowState.SENT else f"{row.action} {state}: {reason}"
        command = RecordPage(
            notifier=row.notifier, channel=row.channel, outbox_id=row.id, failure=failure
        )
        self.ledger.execute(row.incident_id, command)

    def _is_recorded(self, row: OutboxRow) -> bool:
        """Whether a process that died after it had recorded a page had sent it."""
        return any(
            event.kind is EventKind.PAGED and event.data.get("outbox_id") == row.id
            for event in self.ledger.events(row.incident_id)
        )


def _worker(name: str, work: Callable[[], object], *, interval_s: float) -> Background:
    return Background(name, work, interval_s=interval_s, last_run=True)


def _holding(incident: Incident) -> Collection[Finding]:
    return holding(incident.findings.values())


def _lacks_post_mortem(incident: Incident) -> bool:
    resolved_ms = incident.resolved_ms
    if incident.status is not Status.RESOLVED or resolved_ms is None:
        return False
    return incident.post_mortem_ms is None or incident.post_mortem_ms < resolved_ms
