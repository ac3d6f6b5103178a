"""``fold``: events to state. What each event's data hold stands in its function here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from collectors.errors import StorageError
from runbooks.incidents.crowd import Crowd
from runbooks.incidents.events import Event, EventKind, JsonValue
from runbooks.incidents.finding_codec import finding_from_json
from runbooks.incidents.incident import ImpactInterval, Incident, ProposedRunbook, StepState
from runbooks.incidents.states import OPEN_STATUSES, Role, Severity, Status


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
    """``title``, ``severity``, ``impact_start_ms``, ``finding``."""
    if event.kind is not EventKind.OPENED:
        raise StorageError(f"{event.incident_id}: the log begins with {event.kind}")
    finding = finding_from_json(_mapping(event.data["finding"]))
    return Incident(
        id=event.incident_id,
        seq=event.seq,
        title=str(event.data["title"]),
        severity=Severity(str(event.data["severity"])),
        severity_by=event.actor,
        status=Status.TRIAGE,
        opened_ms=event.time_ms,
        impact=(ImpactInterval(start_ms=_integer(event.data["impact_start_ms"])),),
        findings={finding.id: finding},
    )


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
    if status not in {Status.MITIGATED, Status.RESOLVED}:
        return changed
    if status is Status.RESOLVED:
        changed = replace(changed, resolved_ms=event.time_ms)
    current = incident.impact[-1]
    if current.end_ms is not None:
        return changed
    ended = event.data.get("impact_end_ms")
    end_ms = max(current.start_ms, event.time_ms if ended is None else _integer(ended))
    impact = (*incident.impact[:-1], replace(current, end_ms=end_ms))
    return replace(changed, impact=impact, mitigated_ms=end_ms)


def _reopened(incident: Incident, event: Event) -> Incident:
    """``impact_start_ms`` (None: the event's own time). What ended before stays on record."""
    started = event.data.get("impact_start_ms")
    start_ms = event.time_ms if started is None else _integer(started)
    previous_end_ms = incident.impact[-1].end_ms or start_ms
    impact = (*incident.impact, ImpactInterval(start_ms=max(start_ms, previous_end_ms)))
    was_resolved = incident.status not in OPEN_STATUSES
    return replace(
        incident,
        status=Status.INVESTIGATING,
        impact=impact,
        mitigated_ms=None,
        resolved_ms=None,
        reminders=0,
        acknowledged_ms=None if was_resolved else incident.acknowledged_ms,
        acknowledged_by=None if was_resolved else incident.acknowledged_by,
    )


def _acknowledged(incident: Incident, event: Event) -> Incident:
    return replace(incident, acknowledged_ms=event.time_ms, acknowledged_by=event.actor)


def _role(incident: Incident, event: Event) -> Incident:
    """``role``, ``person``."""
    role = Role(str(event.data["role"]))
    return replace(incident, roles={**incident.roles, role: str(event.data["person"])})


def _paged(incident: Incident, event: Event) -> Incident:
    """``where``, ``outbox_id``."""
    paged_ms = incident.paged_ms or event.time_ms
    return replace(incident, paged_ms=paged_ms, rung_ms=event.time_ms)


def _rung_again(incident: Incident, event: Event) -> Incident:
    """No data."""
    return replace(incident, reminders=incident.reminders + 1, rung_ms=event.time_ms)


def _runbook(incident: Incident, event: Event) -> Incident:
    """``name``, ``title``, ``why``, ``score``, ``step_ids``; ``step_titles`` are for the thread."""
    step_ids = event.data["step_ids"]
    steps = {str(s): StepState.OPEN for s in step_ids} if isinstance(step_ids, list) else {}
    proposed = ProposedRunbook(
        name=str(event.data["name"]),
        title=str(event.data["title"]),
        why=str(event.data["why"]),
        steps=steps,
        score=_integer(event.data.get("score", 0)),
    )
    return replace(incident, runbook=proposed)


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
    EventKind.RUNBOOK_PROPOSED: _runbook,
    EventKind.STEP_SET: _step,
    EventKind.POST_MORTEM_WRITTEN: _post_mortem,
}
