"""``fold``: events to state. What each event's data hold stands in its function here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from anomaly.findings import Finding
from collectors.errors import StorageError
from runbooks.incidents.crowd import Crowd
from runbooks.incidents.events import Event, EventKind, JsonValue
from runbooks.incidents.finding_codec import finding_from_json
from runbooks.incidents.incident import (
    Declared,
    ImpactInterval,
    Incident,
    ProposedRunbook,
    StepState,
)
from runbooks.incidents.milestones import Correction, Milestone
from runbooks.incidents.states import OPEN_STATUSES, Role, Severity, Status
from runbooks.incidents.tasks import Task, TaskKind


def fold(events: Iterable[Event], incident: Incident | None = None) -> Incident:
    """Return the state after ``events``, starting from ``incident``.

    Raises:
        StorageError: The log has a gap or doesn't begin with an opening.
    """
    for event in events:
        expected = 1 if incident is None else incident.seq + 1
        if event.seq != expected:
            raise StorageError(
                f"{event.incident_id}: event {event.seq} where {expected} should stand; "
                "restore the incident database from a copy"
            )
        incident = apply(incident, event)
    if incident is None:
        raise StorageError("an incident without events; restore the database from a copy")
    return incident


def apply(incident: Incident | None, event: Event) -> Incident:
    """Return the state after one event."""
    if incident is None:
        return _opened(event)
    change = _CHANGES.get(event.kind)
    changed = change(incident, event) if change else incident
    return replace(changed, seq=event.seq)


def _opened(event: Event) -> Incident:
    """``title``, ``severity``, ``impact_start_ms``; and what there is to it.

    ``finding`` or ``findings``, or ``declared`` by a person; ``split_from`` another incident.
    """
    if event.kind is not EventKind.OPENED:
        raise StorageError(f"{event.incident_id}: the log begins with {event.kind}")
    found = [event.data["finding"]] if "finding" in event.data else event.data.get("findings")
    findings = _findings(found)
    title = str(event.data["title"])
    return Incident(
        id=event.incident_id,
        seq=event.seq,
        title=title,
        titled_by=next((f.id for f in findings.values() if f.title == title), ""),
        severity=Severity(str(event.data["severity"])),
        severity_by=event.actor,
        status=Status.TRIAGE,
        opened_ms=event.time_ms,
        impact=(ImpactInterval(start_ms=_integer(event.data["impact_start_ms"])),),
        findings=findings,
        declared=_declared(event.data.get("declared")),
        split_from=_name(event.data.get("split_from")),
        update_told_ms=event.time_ms,
    )


def _declared(value: JsonValue) -> Declared | None:
    if not isinstance(value, dict):
        return None
    scope = _mapping(value["scope"])
    return Declared(
        by=str(value["by"]),
        text=str(value["text"]),
        scope={key: str(tag) for key, tag in scope.items()},
    )


def _findings(value: JsonValue) -> dict[str, Finding]:
    found = [finding_from_json(_mapping(one)) for one in value] if isinstance(value, list) else []
    return {finding.id: finding for finding in found}


def _finding(incident: Incident, event: Event) -> Incident:
    """``finding``; an onset earlier than known moves the start of an impact that lasts."""
    finding = finding_from_json(_mapping(event.data["finding"]))
    current = incident.impact[-1]
    impact = incident.impact
    if len(impact) == 1 and current.end_ms is None and finding.started_ms < current.start_ms:
        impact = (replace(current, start_ms=finding.started_ms),)
    return replace(incident, findings={**incident.findings, finding.id: finding}, impact=impact)


def _crowd(incident: Incident, event: Event) -> Incident:
    """``rule``, ``title``, ``firing``, ``seen``, ``latest_ms``, ``loud``: whether it rang."""
    rule = str(event.data["rule"])
    crowd = crowd_of(incident.crowds.get(rule), event.data)
    return replace(incident, crowds={**incident.crowds, rule: crowd})


def crowd_of(before: Crowd | None, data: Mapping[str, JsonValue]) -> Crowd:
    """Return a crowd as a ``CROWD_COUNTED`` event's data tell it."""
    firing = _integer(data["firing"])
    rung = firing if data["loud"] else 0 if before is None or not firing else before.rung
    return Crowd(
        rule=str(data["rule"]),
        title=str(data["title"]),
        firing=firing,
        seen=_integer(data["seen"]),
        rung=rung,
        latest_ms=_integer(data["latest_ms"]),
    )


def _severity(incident: Incident, event: Event) -> Incident:
    """``severity``."""
    severity = Severity(str(event.data["severity"]))
    return replace(incident, severity=severity, severity_by=event.actor)


def _status(incident: Incident, event: Event) -> Incident:
    """``from``, ``to``, ``impact_end_ms`` (None: the event's own time)."""
    status = Status(str(event.data["to"]))
    changed = replace(incident, status=status)
    if status in _WORK:
        return _came_to(changed, Milestone(status.value), event)
    if status not in {Status.MITIGATED, Status.RESOLVED}:
        return changed
    if status is Status.RESOLVED:
        changed = replace(changed, resolved_ms=event.time_ms)
    if incident.impact[-1].end_ms is not None:
        return changed
    ended = event.data.get("impact_end_ms")
    return _impact_over(changed, event.time_ms if ended is None else _integer(ended))


def _impact_over(incident: Incident, at_ms: int) -> Incident:
    """Return ``incident`` with its impact over, unless it was over before."""
    current = incident.impact[-1]
    if current.end_ms is not None:
        return incident
    end_ms = max(current.start_ms, at_ms)
    impact = (*incident.impact[:-1], replace(current, end_ms=end_ms))
    return replace(incident, impact=impact, mitigated_ms=end_ms)


def _came_to(incident: Incident, milestone: Milestone, event: Event) -> Incident:
    """Return ``incident`` with the time at which it first came to ``milestone``."""
    return replace(incident, first_ms={milestone: event.time_ms, **incident.first_ms})


def _declined(incident: Incident, event: Event) -> Incident:
    """``reason``."""
    over = _impact_over(incident, event.time_ms)
    return replace(over, status=Status.DECLINED, resolved_ms=event.time_ms)


def _merged(incident: Incident, event: Event) -> Incident:
    """``into``, ``reason``."""
    over = _impact_over(incident, event.time_ms)
    into = str(event.data["into"])
    return replace(over, status=Status.MERGED, resolved_ms=event.time_ms, merged_into=into)


def _took_over(incident: Incident, event: Event) -> Incident:
    """``from``, ``findings``, ``crowds``, ``scopes`` (as declared), ``impact_start_ms``."""
    crowds = dict(incident.crowds)
    told = event.data["crowds"]
    for data in map(_mapping, told if isinstance(told, list) else []):
        rule = str(data["rule"])
        crowds[rule] = crowd_of(crowds.get(rule), data)
    impact, start_ms = incident.impact, _integer(event.data["impact_start_ms"])
    if len(impact) == 1 and impact[0].end_ms is None and start_ms < impact[0].start_ms:
        impact = (replace(impact[0], start_ms=start_ms),)
    return replace(
        incident,
        findings={**incident.findings, **_findings(event.data["findings"]), **incident.findings},
        crowds=crowds,
        merged_from=(*incident.merged_from, str(event.data["from"])),
        taken_scopes=(*incident.taken_scopes, *_scopes(event.data["scopes"])),
        impact=impact,
    )


def _scopes(value: JsonValue) -> list[dict[str, str]]:
    scopes = map(_mapping, value if isinstance(value, list) else [])
    return [{key: str(tag) for key, tag in scope.items()} for scope in scopes]


def _split_off(incident: Incident, event: Event) -> Incident:
    """``findings`` (ids), ``into``, ``reason``."""
    gone = event.data["findings"]
    ids = {str(one) for one in gone} if isinstance(gone, list) else set()
    left = {i: finding for i, finding in incident.findings.items() if i not in ids}
    into = (*incident.split_into, str(event.data["into"]))
    return replace(incident, findings=left, split_into=into)


def _corrected(incident: Incident, event: Event) -> Incident:
    """``milestone``, ``at_ms``, ``was_ms``, ``reason``."""
    correction = Correction(
        at_ms=_integer(event.data["at_ms"]), by=event.actor, reason=str(event.data["reason"])
    )
    milestone = Milestone(str(event.data["milestone"]))
    return replace(incident, corrections={**incident.corrections, milestone: correction})


def _task_added(incident: Incident, event: Event) -> Incident:
    """``task_id``, ``title``, ``kind``, ``owner``, ``due_ms``."""
    due = event.data["due_ms"]
    task = Task(
        id=str(event.data["task_id"]),
        title=str(event.data["title"]),
        kind=TaskKind(str(event.data["kind"])),
        owner=str(event.data["owner"]),
        due_ms=None if due is None else _integer(due),
        added_ms=event.time_ms,
        added_by=event.actor,
    )
    return replace(incident, tasks={**incident.tasks, task.id: task})


def _task_changed(incident: Incident, event: Event) -> Incident:
    """``task_id``; ``done``, ``owner``, ``due_ms`` where they change."""
    task = incident.tasks[str(event.data["task_id"])]
    if "done" in event.data:
        task = replace(task, done_ms=event.time_ms if event.data["done"] else None)
    if "owner" in event.data:
        task = replace(task, owner=str(event.data["owner"]))
    if "due_ms" in event.data:
        task = replace(task, due_ms=_integer(event.data["due_ms"]))
    return replace(incident, tasks={**incident.tasks, task.id: task})


def _update_given(incident: Incident, event: Event) -> Incident:
    """No data."""
    return replace(incident, update_ms=event.time_ms, update_told_ms=event.time_ms)


def _update_due(incident: Incident, event: Event) -> Incident:
    """No data."""
    return replace(incident, update_told_ms=event.time_ms)


def _joined(incident: Incident, event: Event) -> Incident:
    """``person``."""
    return _responding(incident, str(event.data["person"]))


def _left(incident: Incident, event: Event) -> Incident:
    """``person``."""
    responders = {**incident.responders, str(event.data["person"]): False}
    return replace(incident, responders=responders)


def _responding(incident: Incident, person: str) -> Incident:
    return replace(incident, responders={**incident.responders, person: True})


def _reopened(incident: Incident, event: Event) -> Incident:
    """``impact_start_ms`` (None: the event's own time). What ended before stays on record."""
    started = event.data.get("impact_start_ms")
    start_ms = event.time_ms if started is None else _integer(started)
    previous_end_ms = incident.impact[-1].end_ms or start_ms
    impact = (*incident.impact, ImpactInterval(start_ms=max(start_ms, previous_end_ms)))
    was_resolved = incident.status not in OPEN_STATUSES
    first_ms = {m: ms for m, ms in incident.first_ms.items() if m not in _TAKEN_BACK}
    corrections = {m: said for m, said in incident.corrections.items() if m not in _TAKEN_BACK}
    return replace(
        incident,
        first_ms=first_ms,
        corrections=corrections,
        status=Status.INVESTIGATING,
        impact=impact,
        mitigated_ms=None,
        resolved_ms=None,
        update_told_ms=event.time_ms if was_resolved else incident.update_told_ms,
        reminders=0,
        acknowledged_ms=None if was_resolved else incident.acknowledged_ms,
        acknowledged_by=None if was_resolved else incident.acknowledged_by,
    )


def _acknowledged(incident: Incident, event: Event) -> Incident:
    known = _responding(_came_to(incident, Milestone.ACKNOWLEDGED, event), event.actor)
    return replace(known, acknowledged_ms=event.time_ms, acknowledged_by=event.actor)


def _role(incident: Incident, event: Event) -> Incident:
    """``role``, ``person``, ``from``: who had it before."""
    role, person = Role(str(event.data["role"])), str(event.data["person"])
    return replace(_responding(incident, person), roles={**incident.roles, role: person})


def _paged(incident: Incident, event: Event) -> Incident:
    """``where``, ``outbox_id``."""
    paged_ms = incident.paged_ms or event.time_ms
    return replace(incident, paged_ms=paged_ms, rung_ms=event.time_ms)


def _pinned(incident: Incident, event: Event) -> Incident:
    """``event``: its number."""
    return replace(incident, pins=(*incident.pins, _integer(event.data["event"])))


def _unpinned(incident: Incident, event: Event) -> Incident:
    """``event``: its number."""
    number = _integer(event.data["event"])
    return replace(incident, pins=tuple(pin for pin in incident.pins if pin != number))


def _rung_again(incident: Incident, event: Event) -> Incident:
    """No data."""
    return replace(incident, reminders=incident.reminders + 1, rung_ms=event.time_ms)


def _escalated(incident: Incident, event: Event) -> Incident:
    """``lapsed``: whether an acknowledgement counts no longer, as nothing came of it."""
    lapsed = event.data.get("lapsed") is True
    return replace(incident, acknowledged_by=None) if lapsed else incident


def _runbook(incident: Incident, event: Event) -> Incident:
    """``name``, ``title``, ``why``, ``instead``, ``score``, ``step_ids``.

    ``step_titles`` are for the thread.
    """
    step_ids = event.data["step_ids"]
    steps = {str(s): StepState.OPEN for s in step_ids} if isinstance(step_ids, list) else {}
    proposed = ProposedRunbook(
        name=str(event.data["name"]),
        title=str(event.data["title"]),
        why=str(event.data["why"]),
        steps=steps,
        score=_integer(event.data.get("score", 0)),
        instead=str(event.data.get("instead", "")),
    )
    return replace(incident, runbook=proposed)


def _run(incident: Incident, event: Event) -> Incident:
    """``run_id``, ``runbook``, ``state``; of one of its steps ``step_id``, ``step``."""
    found = incident.runbook
    if found is None or found.name != event.data.get("runbook"):
        return incident
    return replace(incident, runbook=replace(found, run=True))


def _retitled(incident: Incident, event: Event) -> Incident:
    """``title``, ``finding_id``: whose title it is."""
    title, finding_id = str(event.data["title"]), str(event.data["finding_id"])
    return replace(incident, title=title, titled_by=finding_id)


def _step(incident: Incident, event: Event) -> Incident:
    """``step_id``, ``state``."""
    if incident.runbook is None:
        return incident
    state = StepState(str(event.data["state"]))
    steps = {**incident.runbook.steps, str(event.data["step_id"]): state}
    return replace(incident, runbook=replace(incident.runbook, steps=steps))


def _post_mortem(incident: Incident, event: Event) -> Incident:
    """``file``, ``blanks``."""
    return replace(incident, post_mortem_ms=event.time_ms)


def _post_mortem_moved(incident: Incident, event: Event) -> Incident:
    """``to``: the state that a person gave it."""
    if event.data.get("to") != Milestone.REVIEWED.value or incident.is_open:
        return incident  # what lasts can't have been reviewed
    return _came_to(incident, Milestone.REVIEWED, event)


def _name(value: JsonValue) -> str | None:
    return str(value) if value else None


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise StorageError(f"an event's data are damaged: {str(value)[:80]!r} is no object")
    return value


def _integer(value: JsonValue) -> int:
    if not isinstance(value, int | float):
        raise StorageError(f"an event's data are damaged: {str(value)[:80]!r} is no number")
    return int(value)


_CHANGES: Mapping[EventKind, Callable[[Incident, Event], Incident]] = {
    EventKind.FINDING_ADDED: _finding,
    EventKind.FINDING_CHANGED: _finding,
    EventKind.CROWD_COUNTED: _crowd,
    EventKind.SEVERITY_SET: _severity,
    EventKind.STATUS_SET: _status,
    EventKind.REOPENED: _reopened,
    EventKind.ACKNOWLEDGED: _acknowledged,
    EventKind.ROLE_ASSIGNED: _role,
    EventKind.PAGED: _paged,
    EventKind.RUNG_AGAIN: _rung_again,
    EventKind.PINNED: _pinned,
    EventKind.UNPINNED: _unpinned,
    EventKind.ESCALATED: _escalated,
    EventKind.RUNBOOK_PROPOSED: _runbook,
    EventKind.STEP_SET: _step,
    EventKind.RUNBOOK_RUN: _run,
    EventKind.RETITLED: _retitled,
    EventKind.POST_MORTEM_WRITTEN: _post_mortem,
    EventKind.POST_MORTEM_MOVED: _post_mortem_moved,
    EventKind.DECLINED: _declined,
    EventKind.MERGED: _merged,
    EventKind.TOOK_OVER: _took_over,
    EventKind.SPLIT_OFF: _split_off,
    EventKind.MILESTONE_CORRECTED: _corrected,
    EventKind.RESPONDER_JOINED: _joined,
    EventKind.RESPONDER_LEFT: _left,
    EventKind.TASK_ADDED: _task_added,
    EventKind.TASK_CHANGED: _task_changed,
    EventKind.UPDATE_GIVEN: _update_given,
    EventKind.UPDATE_DUE: _update_due,
}

_TAKEN_BACK = frozenset({Milestone.RESOLVED, Milestone.REVIEWED})
"""What a reopening takes back, corrections and all: it will be reached anew."""

_WORK = frozenset({Status.INVESTIGATING, Status.IDENTIFIED})
"""Statuses that are milestones in themselves."""
