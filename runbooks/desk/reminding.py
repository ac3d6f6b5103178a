"""When an incident that nobody has acknowledged rings again, and when that is withheld."""

from __future__ import annotations

from collections.abc import Callable

from runbooks.incidents.commands import Command, Record, RingAgain
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.paging.route_tree import Target

MAX_RING_AGAIN_S = 3_600.0


class Reminding:
    """Says what is due; one thread at a time.

    Args:
        patience_s: Returns how long an incident's page may be unanswered at first, seconds.
        withheld: Returns why an incident must ring nobody now, "" when it may.
        mute: Returns who would be told of an incident, but for the time of day.
        escalates: Whether an escalation says when an incident rings next, by its id.
    """

    def __init__(
        self,
        patience_s: Callable[[Incident], float],
        withheld: Callable[[Incident], str],
        mute: Callable[[Incident, int], frozenset[Target]],
        escalates: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._escalates = escalates
        self._patience_s = patience_s
        self._withheld = withheld
        self._mute = mute
        self._told: dict[str, str] = {}
        self._muted: dict[str, frozenset[Target]] = {}

    def due(self, incident: Incident, now_ms: int) -> Command | None:
        """Return what is to be put on record of an incident now: that it rings, or why not.

        It is due until :meth:`done` is told that it is on record.
        """
        told = self._told.get(incident.id, "")
        if not incident.pages:
            self._told.pop(incident.id, None)
            self._muted.pop(incident.id, None)
            return None
        if reason := self._withheld(incident):
            text, loud = f"rings nobody: {reason}", False
        elif told:
            text, loud = f"no longer held back: {incident.title}", _is_news(incident)
        elif incident.acknowledged_by is None and self._is_unheard(incident, now_ms):
            text = f"rung again: nobody has acknowledged it; {incident.title}"
            return RingAgain(text=text, rung_ms=incident.rung_ms)
        if reason == told:
            return self._woken(incident, now_ms)
        data: Data = {"reason": reason, "loud": loud}
        return Record(kind=EventKind.SUPPRESSED, text=text, data=data)

    def _woken(self, incident: Incident, now_ms: int) -> Command | None:
        """Return that somebody is told now who was not because of the time of day."""
        mute = self._mute(incident, now_ms)
        woken = self._muted.get(incident.id, mute) - mute
        if not woken:
            self._muted[incident.id] = mute
            return None
        names = ", ".join(sorted(map(str, woken)))
        text = f"no longer mute, told now: {names}"
        return Record(kind=EventKind.SUPPRESSED, text=text, data={"ways": True})

    def done(self, incident: Incident, command: Command) -> None:
        """Take note that what was due is on record."""
        if not isinstance(command, Record):
            return
        if command.data.get("ways"):
            self._muted.pop(incident.id, None)
            return
        reason = str(command.data.get("reason", ""))
        if reason:
            self._told[incident.id] = reason
        else:
            self._told.pop(incident.id, None)

    def _is_unheard(self, incident: Incident, now_ms: int) -> bool:
        """Whether nobody has acknowledged it for too long since people were rung."""
        if incident.rung_ms is None:
            return False
        first_s = self._patience_s(incident)
        patience_s = first_s * float(2 ** min(incident.reminders, 10))
        patience_s = min(patience_s, max(first_s, MAX_RING_AGAIN_S))
        if now_ms - incident.rung_ms < patience_s * 1_000:
            return False
        return not self._escalates(incident.id)


def _is_news(incident: Incident) -> bool:
    """Whether nobody has acknowledged what it is now."""
    if incident.acknowledged_by is None:
        return True
    return (incident.acknowledged_ms or 0) < incident.impact[-1].start_ms
