"""What time alone does to incidents: they end, come back, ring again, wait for an update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from anomaly.findings import FindingState, Urgency
from collectors.clock import Clock
from collectors.errors import ConflictError
from runbooks.alerts.muting import Muting
from runbooks.desk.intake import Intake
from runbooks.desk.ledger import Ledger
from runbooks.desk.reminding import Reminding
from runbooks.desk.settings import DeskSettings
from runbooks.incidents.commands import Command, RemindOfUpdate, Reopen, SetStatus
from runbooks.incidents.decisions.course import holding
from runbooks.incidents.events import MACHINE
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status
from runbooks.paging.route_tree import Target
from tocsin.client.wording import duration


class Elapsing:
    """Looks at every incident in turns.

    Args:
        ledger: Where incidents are.
        intake: Knows findings as they are now.
        muting: Knows what must not ring now.
        settings: After how long.
        clock: The present.
        escalates: Whether an escalation says when an incident rings next, by its id.
    """

    def __init__(
        self,
        ledger: Ledger,
        intake: Intake,
        muting: Muting,
        settings: DeskSettings,
        clock: Clock,
        escalates: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._ledger = ledger
        self._intake = intake
        self._muting = muting
        self._reminding = Reminding(self._patience_s, ledger.withheld, self._mute, escalates)
        self._settings = settings
        self._clock = clock

    def tick(self) -> None:
        """Do what is due."""
        now_ms = self._clock.now_ms()
        for incident in self._ledger.incidents():
            for command in self._due(incident, now_ms):
                # What another process, or a person, did meanwhile needs doing no more.
                with suppress(ConflictError):
                    self._ledger.execute(incident.id, command)
                    self._reminding.done(incident, command)

    def _due(self, incident: Incident, now_ms: int) -> Iterator[Command]:
        if self._is_stable(incident, now_ms):
            text = f"stable for {duration(self._settings.auto_resolve_s)}"
            yield SetStatus(status=Status.RESOLVED, actor=MACHINE, text=text)
        elif still := self._still_firing(incident, now_ms):
            text = f"still firing {duration(self._settings.still_firing_s)} after: {still}"
            yield Reopen(actor=MACHINE, text=text)
        elif command := self._reminding.due(incident, now_ms):
            yield command
        if reminder := self._update_due(incident, now_ms):
            yield reminder

    def _patience_s(self, incident: Incident) -> float:
        """Return how soon an incident that nobody acknowledges rings again, seconds."""
        repeat_ms = self._ledger.routes.repeat_ms(incident)
        return self._settings.ring_again_s if repeat_ms is None else repeat_ms / 1_000

    def _mute(self, incident: Incident, now_ms: int) -> frozenset[Target]:
        routes = self._ledger.routes
        if not routes.has_times:
            return frozenset()
        return frozenset(routes.targets(incident)) - frozenset(routes.targets(incident, now_ms))

    def _is_stable(self, incident: Incident, now_ms: int) -> bool:
        if incident.status is not Status.MITIGATED or incident.mitigated_ms is None:
            return False
        if incident.more_firing:
            return False
        held = holding(incident.findings.values())
        if any(f.state is not FindingState.RESOLVED for f in held):
            return False
        return now_ms - incident.mitigated_ms >= self._settings.auto_resolve_s * 1000

    def _still_firing(self, incident: Incident, now_ms: int) -> str:
        """Return what fires on so long after a person ended it, "" if nothing does."""
        resolved_ms = incident.resolved_ms
        if incident.status not in _ENDED_BY_WORD or resolved_ms is None:
            return ""
        if now_ms - resolved_ms < self._settings.still_firing_s * 1000:
            return ""
        for finding in incident.firing:
            live = self._intake.live.get(finding.id)
            paging = live is not None and live.urgency is Urgency.PAGE
            if live is None or not paging or self._muting.verdict(live):
                continue
            if live.updated_ms > resolved_ms >= live.detected_ms:
                return live.title
        return self._intake.crowds.title(incident.id)

    def _update_due(self, incident: Incident, now_ms: int) -> RemindOfUpdate | None:
        every_s = self._settings.update_every_s.get(incident.severity)
        told_ms = incident.update_told_ms
        if not incident.is_open or not every_s or told_ms is None:
            return None
        if now_ms - told_ms < every_s * 1000:
            return None
        since_ms = incident.update_ms or incident.opened_ms
        last = "no update was given yet" if incident.update_ms is None else "the last update is old"
        text = (
            f"update due: {incident.severity} promises one every {duration(every_s)}, and "
            f"{last}, after {duration((now_ms - since_ms) / 1000)}"
        )
        return RemindOfUpdate(told_ms=told_ms, text=text)


_ENDED_BY_WORD = frozenset({Status.RESOLVED, Status.DECLINED})
