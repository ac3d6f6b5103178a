"""What became of pages, and ringing again. Pure."""

from __future__ import annotations

from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident


def record_page(incident: Incident, command: c.RecordPage) -> list[Draft]:
    """Put on record what became of a page."""
    where = f"{command.notifier}:{command.channel}"
    data: Data = {"where": where, "outbox_id": command.outbox_id}
    if command.failure:
        text = f"page to {where} failed: {command.failure}"
        return [Draft(kind=EventKind.PAGE_FAILED, text=text, data=data)]
    text = f"paged {where}: [{incident.severity}] {incident.title}"
    return [Draft(kind=EventKind.PAGED, text=text, data=data)]


def ring_again(incident: Incident, command: c.RingAgain) -> list[Draft]:
    """Ring again unless somebody has acknowledged it."""
    if not incident.is_open or incident.acknowledged_by is not None:
        return []
    if command.rung_ms is not None and command.rung_ms != incident.rung_ms:
        return []  # another process has rung meanwhile
    return [Draft(kind=EventKind.RUNG_AGAIN, text=command.text)]
