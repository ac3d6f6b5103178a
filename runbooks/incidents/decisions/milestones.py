"""Correcting when an incident came how far. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.milestones import ADDABLE, BEFORE, Milestone
from tocsin.client.wording import moment


def correct_milestone(incident: Incident, command: c.CorrectMilestone, now_ms: int) -> list[Draft]:
    """Put another time on record; what the log says by itself stays beside it."""
    milestone, known = command.milestone, incident.milestones
    if not command.text:
        raise ConflictError(f"{incident.id}: say why {milestone} was at another time")
    if command.at_ms > now_ms:
        raise ConflictError(f"{milestone} at {moment(command.at_ms)} is in the future")
    before = known.get(milestone)
    if before is None and milestone not in ADDABLE:
        raise ConflictError(f"{incident.id} is not {milestone} yet; there is nothing to correct")
    if before is not None and before.time_ms == command.at_ms:
        raise ConflictError(f"{milestone} is at {moment(command.at_ms)} already")
    times = {m: reached.time_ms for m, reached in known.items()} | {milestone: command.at_ms}
    _in_order(milestone, times)
    was_ms = None if before is None else before.time_ms
    was = "not on record" if was_ms is None else moment(was_ms)
    text = f"{milestone} at {moment(command.at_ms)}, not {was}: {command.text}"
    if was_ms is None:
        text = f"{milestone} at {moment(command.at_ms)}: {command.text}"
    data: Data = {
        "milestone": milestone.value,
        "at_ms": command.at_ms,
        "was_ms": was_ms,
        "reason": command.text,
    }
    return [Draft(kind=EventKind.MILESTONE_CORRECTED, text=text, data=data)]


def _in_order(milestone: Milestone, times_ms: Mapping[Milestone, int]) -> None:
    """Refuse what turns ``milestone`` and another one round."""
    pairs = [(earlier, milestone) for earlier in BEFORE[milestone]]
    pairs += [(milestone, later) for later, earlier in BEFORE.items() if milestone in earlier]
    for earlier, later in pairs:
        if earlier in times_ms and later in times_ms and times_ms[later] < times_ms[earlier]:
            raise ConflictError(
                f"{later} ({moment(times_ms[later])}) would come before {earlier} "
                f"({moment(times_ms[earlier])}); correct the other one first if that is wrong"
            )
