"""What is put on record without a change of the state. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import RECORDED, Data, EventKind
from runbooks.incidents.incident import Incident


def note(incident: Incident, command: c.Note) -> list[Draft]:
    """Write something into the timeline."""
    del incident
    return [Draft(kind=EventKind.NOTE, text=command.text, data=command.data)]


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
