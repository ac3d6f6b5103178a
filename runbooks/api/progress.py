"""How far an incident came, who works on it and what is left to do, as the HTTP API shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from runbooks.alerts.similar import Similar
from runbooks.incidents.effort import person_hours
from runbooks.incidents.events import Event, JsonValue
from runbooks.incidents.incident import Incident
from runbooks.incidents.measures import measure
from runbooks.incidents.milestones import Reached
from runbooks.incidents.states import Severity
from runbooks.incidents.tasks import Task

Json = dict[str, JsonValue]


def progress(
    incident: Incident,
    *,
    now_ms: int,
    events: Sequence[Event],
    update_every_s: Mapping[Severity, float],
    similar: Iterable[Similar],
) -> Json:
    """Return milestones, durations, people, tasks, updates and relatives of an incident."""
    declared = incident.declared
    told_ms, every_s = incident.update_told_ms, update_every_s.get(incident.severity)
    promised = incident.is_open and every_s and told_ms is not None
    return {
        "milestones": [milestone(reached) for reached in incident.milestones.values()],
        "measures": {**asdict(measure(incident, events))},
        "person_hours": person_hours(incident, events, now_ms),
        "roles": {role.value: person for role, person in incident.roles.items()},
        "responders": [
            {"person": person, "present": present}
            for person, present in incident.responders.items()
        ],
        "tasks": [task(one, now_ms) for one in incident.tasks.values()],
        "update_ms": incident.update_ms,
        "update_due_ms": (told_ms or 0) + int((every_s or 0) * 1000) if promised else None,
        "declared_by": declared.by if declared else None,
        "pins": [*incident.pins],
        "merged_into": incident.merged_into,
        "merged_from": [*incident.merged_from],
        "split_from": incident.split_from,
        "split_into": [*incident.split_into],
        "similar": [relative(one) for one in similar],
    }


def milestone(reached: Reached) -> Json:
    """Return a milestone with what the log said where a person corrected it."""
    correction = reached.correction
    return {
        "name": reached.milestone.value,
        "time_ms": reached.time_ms,
        "logged_ms": reached.logged_ms,
        "corrected_by": correction.by if correction else None,
        "reason": correction.reason if correction else "",
    }


def task(one: Task, now_ms: int) -> Json:
    """Return something to do."""
    return {
        "id": one.id,
        "title": one.title,
        "kind": one.kind.value,
        "owner": one.owner,
        "due_ms": one.due_ms,
        "added_ms": one.added_ms,
        "added_by": one.added_by,
        "done_ms": one.done_ms,
        "overdue": one.is_overdue(now_ms),
    }


def relative(one: Similar) -> Json:
    """Return a past incident that looks like this one, and by what."""
    return {
        "id": one.incident.id,
        "title": one.incident.title,
        "severity": one.incident.severity.value,
        "status": one.incident.status.value,
        "opened_ms": one.incident.opened_ms,
        "score": one.score,
        "why": one.why,
    }
