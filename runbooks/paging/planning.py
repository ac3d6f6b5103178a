"""Which notifications a set of events leads to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runbooks.incidents.decisions.findings import EVIDENCE
from runbooks.incidents.events import RECORDED, Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.notifiers.delivery import Action
from runbooks.notifiers.registry import notifiers
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
        EventKind.RESPONDER_JOINED,
        EventKind.RESPONDER_LEFT,
        EventKind.DECLINED,
        EventKind.MERGED,
        EventKind.TOOK_OVER,
        EventKind.SPLIT_OFF,
        EventKind.MILESTONE_CORRECTED,
        EventKind.TASK_ADDED,
        EventKind.TASK_CHANGED,
        EventKind.UPDATE_GIVEN,
        EventKind.UPDATE_DUE,
        EventKind.NOTE,
        EventKind.CHANGE_NOTED,
        EventKind.RUNBOOK_PROPOSED,
        EventKind.RETITLED,
        EventKind.STEP_SET,
        EventKind.POST_MORTEM_WRITTEN,
        *RECORDED,
    }
)
"""Events that people in the thread are told of; delivery reports would only feed themselves."""


MATTERS = UPDATES & {
    EventKind.SEVERITY_SET,
    EventKind.STATUS_SET,
    EventKind.REOPENED,
    EventKind.ACKNOWLEDGED,
    EventKind.ROLE_ASSIGNED,
    EventKind.POST_MORTEM_WRITTEN,
    EventKind.POST_MORTEM_MOVED,
    EventKind.ESCALATED,
    EventKind.STATUS_PUBLISHED,
    EventKind.UPDATE_GIVEN,
}
"""Updates for those, too, who are not at work on the incident."""


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
    quiet: str = "",
    at_ms: int | None = None,
) -> list[Notification]:
    """Return what is to be sent after ``events`` led to ``incident``.

    Args:
        before: The state before; None if there was none.
        incident: The state now.
        events: What just happened, in order.
        routes: Where incidents go.
        told: Targets that have the incident's message already, or soon will.
        quiet: Why it must ring nobody now; what would have rung is said in the thread then.
        at_ms: The present, epoch milliseconds: routes that are mute then tell nobody.
    """
    kinds = {event.kind for event in events}
    targets = list(told)
    planned: list[Notification] = []
    again = "" if quiet else ring_reason(before, incident, events)
    more = kinds & {EventKind.OPENED, EventKind.SEVERITY_SET}
    if again or more or any(event.data.get("ways") is True for event in events):
        for target in routes.targets(incident, at_ms):
            if target not in targets:
                targets.append(target)
                planned.append(_notification(incident, target, Action.OPEN))
    updates = [event for event in events if event.kind in UPDATES]
    for target in targets if updates else ():
        if target in told:
            planned.append(_notification(incident, target, Action.EDIT))
        if text := _said(updates, target):
            planned.append(_notification(incident, target, Action.REPLY, text))
    if again:
        # After what is still to be said below the message that people have.
        loud = [target for target in routes.targets(incident, at_ms) if target in told]
        planned += [_notification(incident, target, Action.OPEN, again) for target in loud]
    return planned if quiet else planned + _beside(incident, events, routes, told)


def _beside(
    incident: Incident, events: Sequence[Event], routes: Routes, told: Collection[Target]
) -> list[Notification]:
    """Return what rings beside the incident's route: the ways that an escalation's step takes."""
    by_itself = routes.targets(incident)
    asked = {
        Target(notifier=str(pair[0]), channel=str(pair[1])): event.text
        for event in events
        if event.kind is EventKind.ESCALATED and isinstance(event.data.get("targets"), list)
        for pair in event.data["targets"]  # type: ignore[union-attr]  # a list, as checked
        if isinstance(pair, list)
    }
    return [
        _notification(incident, target, Action.OPEN, text if target in told else "")
        for target, text in asked.items()
        if target not in by_itself
    ]


def _said(updates: Sequence[Event], target: Target) -> str:
    """Return what a thread is told of ``updates``; some ways are told what matters only."""
    kind = notifiers().get(target.notifier)
    told = MATTERS if kind is not None and kind.important_only else UPDATES
    return "\n".join(
        line(e) for e in updates if e.kind in told and e.data.get("change") != EVIDENCE
    )


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
