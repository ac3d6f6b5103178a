"""The runbook that is proposed, and its steps. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident


def propose_runbook(incident: Incident, command: c.ProposeRunbook) -> list[Draft]:
    """Propose a runbook unless one fits as well already, or somebody works by one."""
    current = incident.runbook
    if current is not None and (current.name == command.name or current.is_begun):
        return []
    if current is not None and not command.instead and current.score >= command.score:
        return []  # only a better fit replaces what people may be reading already
    instead = f"{current.title}: {command.instead}" if current and command.instead else ""
    data: Data = {
        "name": command.name,
        "title": command.title,
        "why": command.why,
        "score": command.score,
        "step_ids": [*command.step_ids],
        "step_titles": [*command.step_titles],
        **({"instead": instead} if instead else {}),
    }
    text = f"runbook proposed: {command.title} ({command.why})"
    text += f"; instead of {instead}" if instead else ""
    return [Draft(kind=EventKind.RUNBOOK_PROPOSED, text=text, data=data)]


def set_step(incident: Incident, command: c.SetStep) -> list[Draft]:
    """Tick a step of the proposed runbook."""
    runbook = incident.runbook
    if runbook is None or command.step_id not in runbook.steps:
        raise ConflictError(f"{incident.id} has no runbook step {command.step_id!r}")
    if runbook.steps[command.step_id] is command.state:
        raise ConflictError(f"step {command.step_id!r} is {command.state} already")
    text = f"runbook step {command.step_id} {command.state}"
    text += f": {command.text}" if command.text else ""
    data: Data = {"step_id": command.step_id, "state": command.state.value}
    return [Draft(kind=EventKind.STEP_SET, text=text, data=data)]
