"""Where the work stands and how bad it is, as people and the machine say. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft, reopening, status_draft
from runbooks.incidents.decisions.roles import assignment
from runbooks.incidents.events import MACHINE, Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import REOPENABLE_STATUSES, TRANSITIONS, Role, Status


def acknowledge(incident: Incident, command: c.Acknowledge) -> list[Draft]:
    """Somebody is on it: investigating, and in command if nobody is."""
    if not incident.is_open:
        raise ConflictError(f"{incident.id} is {incident.status}; nothing to acknowledge")
    if incident.acknowledged_by is not None:
        raise ConflictError(f"{incident.id} was acknowledged by {incident.acknowledged_by} before")
    drafts = [Draft(kind=EventKind.ACKNOWLEDGED, text=f"acknowledged by {command.actor}")]
    if incident.status is Status.TRIAGE:
        drafts.append(status_draft(incident, Status.INVESTIGATING, "somebody is on it"))
    if Role.COMMANDER not in incident.roles:
        drafts.append(
            assignment(incident, Role.COMMANDER, command.actor, "until it is handed over")
        )
    return drafts


def set_status(incident: Incident, command: c.SetStatus) -> list[Draft]:
    """Move on in the work where the table of transitions allows it."""
    if command.status not in TRANSITIONS[incident.status]:
        allowed = ", ".join(sorted(TRANSITIONS[incident.status])) or "nothing"
        raise ConflictError(
            f"{incident.id} is {incident.status} and can't become {command.status}; "
            f"what may follow: {allowed}"
        )
    text = command.text or f"by {command.actor}"
    if command.status is Status.INVESTIGATING and incident.status in REOPENABLE_STATUSES:
        return [reopening(text, None, command.actor)]
    return [status_draft(incident, command.status, text)]


def reopen(incident: Incident, command: c.Reopen) -> list[Draft]:
    """Bring back what ended."""
    if incident.status not in REOPENABLE_STATUSES:
        raise ConflictError(f"{incident.id} is {incident.status}; only what ended can be reopened")
    return [
        reopening(command.text or f"by {command.actor}", command.impact_start_ms, command.actor)
    ]


def set_severity(incident: Incident, command: c.SetSeverity) -> list[Draft]:
    """Say how bad it is; the machine only raises, and never over a person."""
    if command.actor == MACHINE:
        overrules = incident.severity_by != MACHINE
        if overrules or command.severity.rank >= incident.severity.rank:
            return []
    elif command.severity is incident.severity:
        raise ConflictError(f"{incident.id} is {incident.severity} already")
    text = f"{incident.severity} → {command.severity}"
    text += f": {command.text}" if command.text else ""
    data: Data = {"from": incident.severity.value, "severity": command.severity.value}
    return [Draft(kind=EventKind.SEVERITY_SET, text=text, data=data)]
