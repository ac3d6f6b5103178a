"""What is put on record without a change of the state. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import RECORDED, Data, EventKind
from runbooks.incidents.incident import Incident

MAX_PINS = 20
"""Events of an incident that are kept in view."""


def note(incident: Incident, command: c.Note) -> list[Draft]:
    """Write something into the timeline."""
    del incident
    return [Draft(kind=EventKind.NOTE, text=command.text, data=command.data)]


def pin(incident: Incident, command: c.Pin) -> list[Draft]:
    """Keep an event in view, or no longer."""
    if not 1 <= command.event <= incident.seq:
        raise ConflictError(
            f"{incident.id} has {incident.seq} events, and no event {command.event}"
        )
    if command.off:
        if command.event not in incident.pins:
            raise ConflictError(f"{incident.id}: event {command.event} is not pinned")
        text = f"event {command.event} unpinned"
        return [Draft(kind=EventKind.UNPINNED, text=text, data={"event": command.event})]
    if command.event in incident.pins:
        raise ConflictError(f"{incident.id}: event {command.event} is pinned already")
    if len(incident.pins) >= MAX_PINS:
        raise ConflictError(f"{incident.id} has {MAX_PINS} pins already; take one off first")
    text = f"event {command.event} pinned"
    return [Draft(kind=EventKind.PINNED, text=text, data={"event": command.event})]


def record(incident: Incident, command: c.Record) -> list[Draft]:
    """Put on record what another part has done."""
    if command.kind not in RECORDED:
        known = ", ".join(sorted(RECORDED))
        raise ConflictError(f"{incident.id}: {command.kind} is not put on record; {known} are")
    return [Draft(kind=command.kind, text=command.text, data=command.data)]


def record_post_mortem(incident: Incident, command: c.RecordPostMortem) -> list[Draft]:
    """Put on record that the post-mortem was written."""
    del incident
    text = f"post-mortem written; {command.blanks} blanks left for people"
    data: Data = {"file": command.file, "blanks": command.blanks}
    return [Draft(kind=EventKind.POST_MORTEM_WRITTEN, text=text, data=data)]
