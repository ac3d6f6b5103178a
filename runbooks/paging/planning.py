"""Which notifications a set of events leads to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runbooks.incidents.decide import EVIDENCE
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.notifiers.delivery import Action
from runbooks.paging.ringing import ring_reason
from runbooks.paging.routing import Routes, Target

UPDATES = frozenset(
    {
        EventKind.FINDING_ADDED,
        EventKind.FINDING_CHANGED,
        EventKind.CROWD_COUNTED,
        EventKind.SEVERITY_SET,
        EventKind.STATUS_SET,
        EventKind.REOPENED,
        EventKind.RUNG_AGAIN,
        EventKind.ACKNOWLEDGED,
        EventKind.ROLE_ASSIGNED,
        EventKind.NOTE,
        EventKind.CHANGE_NOTED,
        EventKind.RUNBOOK_PROPOSED,
        EventKind.STEP_SET,
        EventKind.POST_MORTEM_WRITTEN,
    }
)
"""Events that people in the thread are told of; delivery reports would only feed themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One row for the outbox."""

    incident_id: str
    target: Target
    action: Action
    text: str = ""


def plan(
    before: Incident | None,
    incident: Incident,
    events: Sequence[Event],
    routes: Routes,
    told: Collection[Target],
) -> list[Notification]:
    """Return what is to be sent after ``events`` led to ``incident``.

    Args:
        before: The state before; None if there was none.
        incident: The state now.
        events: What just happened, in order.
        routes: Where incidents go.
        told: Targets that have the incident's message already, or soon will.
    """
    kinds = {event.kind for event in events}
    targets = list(told)
    planned: list[Notification] = []
    again = ring_reason(before, incident, events)
    if again or kinds & {EventKind.OPENED, EventKind.SEVERITY_SET}:
        for target in routes.targets(incident):
            if target not in targets:
                targets.append(target)
                planned.append(_notification(incident, target, Action.OPEN))
    updates = [event for event in events if event.kind in UPDATES]
    text = "\n".join(line(e) for e in updates if e.data.get("change") != EVIDENCE)
    for target in targets if updates else ():
        if target in told:
            planned.append(_notification(incident, target, Action.EDIT))
        if text:
            planned.append(_notification(incident, target, Action.REPLY, text))
    if again:
        # After what is still to be said below the message that people have.
        loud = [target for target in routes.targets(incident) if target in told]
        planned += [_notification(incident, target, Action.OPEN, again) for target in loud]
    return planned


def line(event: Event) -> str:
    """Return ``event`` as a line of a thread; a runbook brings its steps."""
    steps = event.data.get("step_titles")
    if isinstance(steps, list):
        return "\n".join([f"• {event.text}", *(f"    {n}. {s}" for n, s in enumerate(steps, 1))])
    by = "" if event.is_attributed else f" (by {event.actor})"
    return f"• {event.text}{by}"


def _notification(
    incident: Incident, target: Target, action: Action, text: str = ""
) -> Notification:
    return Notification(incident_id=incident.id, target=target, action=action, text=text)
