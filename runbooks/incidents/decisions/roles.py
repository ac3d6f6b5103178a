"""Who does what during the response. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Role


def assign(incident: Incident, command: c.Assign) -> list[Draft]:
    """Give a role to somebody; who had it before is said."""
    if incident.roles.get(command.role) == command.person:
        raise ConflictError(f"{command.person} is {command.role} already")
    return [assignment(incident, command.role, command.person)]


def assignment(incident: Incident, role: Role, person: str, why: str = "") -> Draft:
    """Return that ``person`` has a role from now on."""
    before = incident.roles.get(role)
    text = f"{person} takes the role of {role}"
    if before is not None:
        text = f"{role} handed over from {before} to {person}"
    text += f", {why}" if why else ""
    data: Data = {"role": role.value, "person": person, "from": before}
    return Draft(kind=EventKind.ROLE_ASSIGNED, text=text, data=data)


def join(incident: Incident, command: c.Join) -> list[Draft]:
    """Put somebody on the list of those who respond."""
    if incident.responders.get(command.person):
        raise ConflictError(f"{command.person} takes part already")
    text = f"{command.person} joins the response"
    return [Draft(kind=EventKind.RESPONDER_JOINED, text=text, data={"person": command.person})]


def leave(incident: Incident, command: c.Leave) -> list[Draft]:
    """Let somebody go who has no role to hand over first."""
    if not incident.responders.get(command.person):
        raise ConflictError(f"{command.person} does not take part")
    held = [role for role, person in incident.roles.items() if person == command.person]
    if held and incident.is_open:
        raise ConflictError(f"{command.person} is {held[0]}; hand the role over first")
    text = f"{command.person} leaves the response"
    return [Draft(kind=EventKind.RESPONDER_LEFT, text=text, data={"person": command.person})]
