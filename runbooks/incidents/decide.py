"""``decide``: which events a command leads to in a given state. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding, FindingState, NearChange, Urgency
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.crowd import firing_in, is_loud
from runbooks.incidents.events import MACHINE, Data, Event, EventKind
from runbooks.incidents.finding_codec import change_to_json, finding_to_json
from runbooks.incidents.folding import crowd_of
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import IMPACTED_STATUSES, TRANSITIONS, Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    kind: EventKind
    text: str
    data: Data = field(default_factory=dict)
    actor: str = ""


def decide(incident: Incident | None, command: c.Command, now_ms: int) -> tuple[Event, ...]:
    """Return the events that ``command`` leads to; none when it changes nothing.

    Args:
        incident: Present state; None before it is opened.
        command: What is asked.
        now_ms: The present, epoch milliseconds.

    Raises:
        ConflictError: The command is not possible in this state.
    """
    if isinstance(command, c.Open):
        if incident is not None:
            raise ConflictError(f"{incident.id} is open already; choose another id")
        drafts: Sequence[_Draft] = _open(command)
        incident_id, seq = command.incident_id, 0
    else:
        if incident is None:
            raise ConflictError(f"{type(command).__name__}: there is no such incident yet")
        drafts = _DECISIONS[type(command)](incident, command)
        incident_id, seq = incident.id, incident.seq
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


def _open(command: c.Open) -> list[_Draft]:
    finding = command.finding
    data: Data = {
        "title": command.title or finding.title,
        "severity": command.severity.value,
        "impact_start_ms": finding.started_ms,
        "finding": finding_to_json(finding),
    }
    text = f"{command.title or finding.title}. {command.severity}: {command.why}"
    opened = _Draft(kind=EventKind.OPENED, text=text, data=data)
    return [opened, *_noted(finding.changes[:1], finding.started_ms)]


def _add_finding(incident: Incident, command: c.AddFinding) -> list[_Draft]:
    finding = command.finding
    if finding.id in incident.findings:
        return _change_finding(incident, c.ChangeFinding(finding=finding))
    text = f"{finding.title} ({command.why})"
    data: Data = {"finding": finding_to_json(finding), "why": command.why}
    added = [_Draft(kind=EventKind.FINDING_ADDED, text=text, data=data)]
    return added + _nearer(incident, finding) + _consequences(incident, finding)


def _change_finding(incident: Incident, command: c.ChangeFinding) -> list[_Draft]:
    finding = command.finding
    before = incident.findings.get(finding.id)
    if before is None:
        raise ConflictError(f"finding {finding.id} does not belong to {incident.id}")
    change = _change(before, finding)
    if change is None:
        return []
    what = _CHANGE_TEXTS[change]
    if change == EVIDENCE and len(finding.changes) > len(before.changes):
        what = "a change before it became known"
    text = f"{finding.title}: {what}"
    data: Data = {"finding": finding_to_json(finding), "change": change}
    changed = [_Draft(kind=EventKind.FINDING_CHANGED, text=text, data=data)]
    return changed + _nearer(incident, finding) + _consequences(incident, finding)


def _change(before: Finding, after: Finding) -> str | None:
    """Return what makes a change worth an event: state, urgency, twice as bad, first traces."""
    if before.state is not after.state:
        return GIVEN_UP if after.given_up else after.state.value
    if before.urgency is not after.urgency:
        return after.urgency.value
    if before.baseline is not None and after.baseline is not None:
        was, now = before.observed - before.baseline, after.observed - after.baseline
        if was * now > 0 and abs(now) > 2 * abs(was):
            return "worse"
    traces = bool(after.exemplar_trace_ids) and not before.exemplar_trace_ids
    return EVIDENCE if traces or _nearest(before) != _nearest(after) else None


def _nearest(finding: Finding) -> str:
    return finding.changes[0].id if finding.changes else ""


def _nearer(incident: Incident, finding: Finding) -> list[_Draft]:
    """Return a note if ``finding`` brings a change nearer than what is known."""
    known = {change.id for change in incident.near_changes[:1]}
    findings = {**incident.findings, finding.id: finding}
    nearest = replace(incident, findings=findings).near_changes[:1]
    return (
        []
        if known >= {change.id for change in nearest}
        else _noted(nearest, incident.impact_start_ms)
    )


def _noted(changes: Sequence[NearChange], onset_ms: int) -> list[_Draft]:
    return [
        _Draft(
            kind=EventKind.CHANGE_NOTED,
            text=f"nearest change: {change_words(change, onset_ms)}",
            data={"near_change": change_to_json(change)},
        )
        for change in changes
    ]


def _count_crowd(incident: Incident, command: c.CountCrowd) -> list[_Draft]:
    before = incident.crowds.get(command.rule)
    if before is not None and (before.firing, before.seen) == (command.firing, command.seen):
        return []
    data: Data = {
        "rule": command.rule,
        "title": command.title,
        "firing": command.firing,
        "seen": command.seen,
        "latest_ms": command.latest_ms,
        "loud": is_loud(before, command.firing),
    }
    counted = _Draft(kind=EventKind.CROWD_COUNTED, text=_crowd_text(command), data=data)
    crowds = {**incident.crowds, command.rule: crowd_of(before, data)}
    findings = holding(incident.findings.values())
    back = (f"back: {_crowd_text(command)}", command.latest_ms) if command.firing else None
    return [counted, *_course(incident, findings, firing_in(crowds), back)]


def _crowd_text(command: c.CountCrowd) -> str:
    """Return what a person reads of a crowd."""
    if not command.firing:
        return f"none of the {command.seen:,} more like “{command.title}” fires any longer"
    seen = f", of {command.seen:,} in all" if command.seen > command.firing else ""
    return f"and {command.firing:,} more like “{command.title}” fire{seen}"


def _consequences(incident: Incident, finding: Finding) -> list[_Draft]:
    """Return what follows for the status from ``finding`` as it is now."""
    findings = holding({**incident.findings, finding.id: finding}.values())
    refires = finding.state is FindingState.FIRING and finding in findings
    back = (f"back: {finding.title}", finding.started_ms) if refires else None
    return _course(incident, findings, firing_in(incident.crowds), back)


def _course(
    incident: Incident, held: Sequence[Finding], more: int, back: tuple[str, int] | None
) -> list[_Draft]:
    """Return what follows for the status.

    Args:
        incident: As it stands.
        held: The findings that keep it from recovering, as they are now.
        more: How many others fire, which are only counted.
        back: What has come back and when it began, if anything has.
    """
    over = not more and all(f.state is FindingState.RESOLVED and not f.given_up for f in held)
    if over and incident.status in IMPACTED_STATUSES:
        ended_ms = max(f.ended_ms or f.updated_ms for f in held)
        return [_status(incident, Status.MITIGATED, "recovering, every finding is over", ended_ms)]
    if back is not None and incident.status is Status.MITIGATED:
        text, started_ms = back
        return [_reopening(text, started_ms, MACHINE)]
    return []


def holding(findings: Collection[Finding]) -> list[Finding]:
    """Return the findings that keep an incident from recovering: those that page.

    A ticket over a window of days goes on firing long after users are served again.
    """
    return [f for f in findings if f.urgency is Urgency.PAGE] or list(findings)


def _acknowledge(incident: Incident, command: c.Acknowledge) -> list[_Draft]:
    if not incident.is_open:
        raise ConflictError(f"{incident.id} is {incident.status}; nothing to acknowledge")
    if incident.acknowledged_by is not None:
        raise ConflictError(f"{incident.id} was acknowledged by {incident.acknowledged_by} before")
    drafts = [_Draft(kind=EventKind.ACKNOWLEDGED, text=f"acknowledged by {command.actor}")]
    if incident.status is Status.TRIAGE:
        drafts.append(_status(incident, Status.INVESTIGATING, "somebody is on it"))
    if Role.COMMANDER not in incident.roles:
        drafts.append(_assignment(Role.COMMANDER, command.actor, "until it is handed over"))
    return drafts


def _set_status(incident: Incident, command: c.SetStatus) -> list[_Draft]:
    if command.status not in TRANSITIONS[incident.status]:
        allowed = ", ".join(sorted(TRANSITIONS[incident.status])) or "nothing"
        raise ConflictError(
            f"{incident.id} is {incident.status} and can't become {command.status}; "
            f"what may follow: {allowed}"
        )
    text = command.text or f"by {command.actor}"
    if command.status is Status.INVESTIGATING and incident.status in _REOPENABLE:
        return [_reopening(text, None, command.actor)]
    return [_status(incident, command.status, text)]


def _reopen(incident: Incident, command: c.Reopen) -> list[_Draft]:
    if incident.status not in _REOPENABLE:
        raise ConflictError(f"{incident.id} is {incident.status}; only what ended can be reopened")
    return [
        _reopening(command.text or f"by {command.actor}", command.impact_start_ms, command.actor)
    ]


def _set_severity(incident: Incident, command: c.SetSeverity) -> list[_Draft]:
    if command.actor == MACHINE:
        overrules = incident.severity_by != MACHINE
        if overrules or command.severity.rank >= incident.severity.rank:
            return []
    elif command.severity is incident.severity:
        raise ConflictError(f"{incident.id} is {incident.severity} already")
    text = f"{incident.severity} → {command.severity}"
    text += f": {command.text}" if command.text else ""
    data: Data = {"from": incident.severity.value, "severity": command.severity.value}
    return [_Draft(kind=EventKind.SEVERITY_SET, text=text, data=data)]


def _assign(incident: Incident, command: c.Assign) -> list[_Draft]:
    if incident.roles.get(command.role) == command.person:
        raise ConflictError(f"{command.person} is {command.role} already")
    return [_assignment(command.role, command.person)]


def _note(incident: Incident, command: c.Note) -> list[_Draft]:
    del incident
    return [_Draft(kind=EventKind.NOTE, text=command.text, data=command.data)]


def _record_page(incident: Incident, command: c.RecordPage) -> list[_Draft]:
    where = f"{command.notifier}:{command.channel}"
    data: Data = {"where": where, "outbox_id": command.outbox_id}
    if command.failure:
        text = f"page to {where} failed: {command.failure}"
        return [_Draft(kind=EventKind.PAGE_FAILED, text=text, data=data)]
    text = f"paged {where}: [{incident.severity}] {incident.title}"
    return [_Draft(kind=EventKind.PAGED, text=text, data=data)]


def _ring_again(incident: Incident, command: c.RingAgain) -> list[_Draft]:
    if not incident.is_open or incident.acknowledged_by is not None:
        return []
    return [_Draft(kind=EventKind.RUNG_AGAIN, text=command.text)]


def _propose_runbook(incident: Incident, command: c.ProposeRunbook) -> list[_Draft]:
    current = incident.runbook
    if current is not None and (current.name == command.name or current.score >= command.score):
        return []  # only a better fit replaces what people may be reading already
    data: Data = {
        "name": command.name,
        "title": command.title,
        "why": command.why,
        "score": command.score,
        "step_ids": [*command.step_ids],
        "step_titles": [*command.step_titles],
    }
    text = f"runbook proposed: {command.title} ({command.why})"
    return [_Draft(kind=EventKind.RUNBOOK_PROPOSED, text=text, data=data)]


def _set_step(incident: Incident, command: c.SetStep) -> list[_Draft]:
    runbook = incident.runbook
    if runbook is None or command.step_id not in runbook.steps:
        raise ConflictError(f"{incident.id} has no runbook step {command.step_id!r}")
    if runbook.steps[command.step_id] is command.state:
        raise ConflictError(f"step {command.step_id!r} is {command.state} already")
    text = f"runbook step {command.step_id} {command.state}"
    text += f": {command.text}" if command.text else ""
    data: Data = {"step_id": command.step_id, "state": command.state.value}
    return [_Draft(kind=EventKind.STEP_SET, text=text, data=data)]


def _record_post_mortem(incident: Incident, command: c.RecordPostMortem) -> list[_Draft]:
    del incident
    text = f"post-mortem written; {command.blanks} blanks left for people"
    data: Data = {"file": command.file, "blanks": command.blanks}
    return [_Draft(kind=EventKind.POST_MORTEM_WRITTEN, text=text, data=data)]


def _status(
    incident: Incident, status: Status, text: str, impact_end_ms: int | None = None
) -> _Draft:
    data: Data = {"from": incident.status.value, "to": status.value, "impact_end_ms": impact_end_ms}
    return _Draft(kind=EventKind.STATUS_SET, text=f"{status}: {text}", data=data)


def _reopening(text: str, impact_start_ms: int | None, actor: str) -> _Draft:
    data: Data = {"impact_start_ms": impact_start_ms}
    return _Draft(kind=EventKind.REOPENED, text=f"reopened: {text}", data=data, actor=actor)


def _assignment(role: Role, person: str, why: str = "") -> _Draft:
    text = f"{person} takes the role of {role}" + (f", {why}" if why else "")
    data: Data = {"role": role.value, "person": person}
    return _Draft(kind=EventKind.ROLE_ASSIGNED, text=text, data=data)


EVIDENCE = "evidence"
"""A change that only adds evidence: worth keeping, not worth telling everybody."""

GIVEN_UP = "given_up"
"""A change that ends the watch but not the trouble."""

_CHANGE_TEXTS: Mapping[str, str] = {
    GIVEN_UP: "taken as normal after so long; not known to be over until a person says so",
    FindingState.RESOLVED: "over",
    FindingState.FROZEN: "its data stopped; neither better nor worse",
    FindingState.FIRING: "firing again",
    Urgency.PAGE: "now urgent enough to page",
    Urgency.TICKET: "no longer urgent enough to page",
    Urgency.INFO: "no longer urgent",
    "worse": "more than twice as far from its baseline as before",
    EVIDENCE: "exemplar traces were found",
}

_REOPENABLE = frozenset({Status.MITIGATED, Status.RESOLVED})

# Any: each decision takes the command type that it is filed under.
_DECISIONS: Mapping[type, Callable[[Incident, Any], list[_Draft]]] = {
    c.AddFinding: _add_finding,
    c.ChangeFinding: _change_finding,
    c.CountCrowd: _count_crowd,
    c.Acknowledge: _acknowledge,
    c.SetStatus: _set_status,
    c.Reopen: _reopen,
    c.SetSeverity: _set_severity,
    c.Assign: _assign,
    c.Note: _note,
    c.RecordPage: _record_page,
    c.RingAgain: _ring_again,
    c.ProposeRunbook: _propose_runbook,
    c.SetStep: _set_step,
    c.RecordPostMortem: _record_post_mortem,
}
