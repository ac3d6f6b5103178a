"""What a decision says happens, before it has a place and a time in a log."""

from __future__ import annotations

from dataclasses import dataclass, field

from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event without place and time; ``actor`` "" is whoever gave the command."""

    kind: EventKind
    text: str
    data: Data = field(default_factory=dict)
    actor: str = ""


def status_draft(
    incident: Incident, status: Status, text: str, impact_end_ms: int | None = None
) -> Draft:
    """Return that the work stands elsewhere now."""
    data: Data = {"from": incident.status.value, "to": status.value, "impact_end_ms": impact_end_ms}
    return Draft(kind=EventKind.STATUS_SET, text=f"{status}: {text}", data=data)


def reopening(text: str, impact_start_ms: int | None, actor: str) -> Draft:
    """Return that what ended is back."""
    data: Data = {"impact_start_ms": impact_start_ms}
    return Draft(kind=EventKind.REOPENED, text=f"reopened: {text}", data=data, actor=actor)
