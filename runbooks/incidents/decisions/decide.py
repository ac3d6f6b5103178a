"""``decide``: which events a command leads to in a given state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions import (
    crowds,
    endings,
    findings,
    milestones,
    opening,
    pages,
    record,
    roles,
    runbook,
    status,
    tasks,
    updates,
)
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Event
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Status


def decide(incident: Incident | None, command: c.Command, now_ms: int) -> tuple[Event, ...]:
    """Return the events that ``command`` leads to; none when it changes nothing.

    Args:
        incident: Present state; None before it is opened.
        command: What is asked.
        now_ms: The present, epoch milliseconds.

    Raises:
        ConflictError: The command is not possible in this state.
    """
    if isinstance(command, c.Opening):
        if incident is not None:
            raise ConflictError(f"{incident.id} is open already; choose another id")
        drafts: Sequence[Draft] = _OPENINGS[type(command)](command, now_ms)
        incident_id, seq = command.incident_id, 0
    else:
        drafts = _decided(incident, command, now_ms)
        incident_id, seq = (incident.id, incident.seq) if incident else ("", 0)
    return tuple(
        Event(
            incident_id=incident_id,
            seq=seq + position,
            time_ms=now_ms,
            kind=draft.kind,
            actor=draft.actor or command.actor,
            text=draft.text,
            data=draft.data,
        )
        for position, draft in enumerate(drafts, start=1)
    )


def _decided(incident: Incident | None, command: c.Command, now_ms: int) -> Sequence[Draft]:
    if incident is None:
        raise ConflictError(f"{type(command).__name__}: there is no such incident yet")
    if incident.status is Status.MERGED and not isinstance(command, _AFTER_MERGING):
        raise ConflictError(f"{incident.id} goes on in {incident.merged_into}; say it there")
    if isinstance(command, c.CorrectMilestone):
        return milestones.correct_milestone(incident, command, now_ms)
    return _DECISIONS[type(command)](incident, command)


_AFTER_MERGING = (c.Note, c.Record, c.RecordPage, c.RingAgain, c.RemindOfUpdate)
"""What a merged incident still takes: what becomes of its messages."""

# Any: each decision takes the command type that it is filed under.
_OPENINGS: Mapping[type, Callable[[Any, int], list[Draft]]] = {
    c.Open: opening.open_of_finding,
    c.Declare: opening.declare,
    c.OpenApart: opening.open_apart,
}

_DECISIONS: Mapping[type, Callable[[Incident, Any], list[Draft]]] = {
    c.AddFinding: findings.add_finding,
    c.ChangeFinding: findings.change_finding,
    c.CountCrowd: crowds.count_crowd,
    c.Acknowledge: status.acknowledge,
    c.SetStatus: status.set_status,
    c.Reopen: status.reopen,
    c.SetSeverity: status.set_severity,
    c.Decline: endings.decline,
    c.MergeInto: endings.merge_into,
    c.TakeOver: endings.take_over,
    c.SplitOff: endings.split_off,
    c.Assign: roles.assign,
    c.Join: roles.join,
    c.Leave: roles.leave,
    c.AddTask: tasks.add_task,
    c.ChangeTask: tasks.change_task,
    c.GiveUpdate: updates.give_update,
    c.RemindOfUpdate: updates.remind_of_update,
    c.Note: record.note,
    c.Pin: record.pin,
    c.Record: record.record,
    c.RecordPage: pages.record_page,
    c.RingAgain: pages.ring_again,
    c.ProposeRunbook: runbook.propose_runbook,
    c.SetStep: runbook.set_step,
    c.RecordPostMortem: record.record_post_mortem,
}
