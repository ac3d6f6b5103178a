"""What those hear who are not in the room, and that it is time to tell them. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident


def give_update(incident: Incident, command: c.GiveUpdate) -> list[Draft]:
    """Put an update on record in a person's own words."""
    if not command.text:
        raise ConflictError(f"{incident.id}: an update needs words")
    return [Draft(kind=EventKind.UPDATE_GIVEN, text=f"update: {command.text}")]


def remind_of_update(incident: Incident, command: c.RemindOfUpdate) -> list[Draft]:
    """Remind once of an update that is due; somebody may have told or reminded meanwhile."""
    if not incident.is_open or incident.update_told_ms != command.told_ms:
        return []
    return [Draft(kind=EventKind.UPDATE_DUE, text=command.text)]
