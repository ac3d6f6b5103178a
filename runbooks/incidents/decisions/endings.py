"""Incidents that are none, that go on in another, and findings that are another's. Pure."""

from __future__ import annotations

from dataclasses import replace

from anomaly.findings import Finding, FindingState
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.crowd import Crowd, firing_in, is_loud
from runbooks.incidents.decisions.course import course, holding
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import MACHINE, Data, EventKind, JsonValue
from runbooks.incidents.finding_codec import finding_to_json
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import ENDABLE_STATUSES

MAX_NAMED_IN_TEXT = 5
"""Findings that a line of the timeline names; of further ones the number."""


def decline(incident: Incident, command: c.Decline) -> list[Draft]:
    """Say that it is no incident; without a reason nobody could judge that later."""
    _endable(incident, "declined")
    if not command.text:
        raise ConflictError(f"{incident.id}: say why it is no incident")
    text = f"declined by {command.actor}: {command.text}"
    return [Draft(kind=EventKind.DECLINED, text=text, data={"reason": command.text})]


def merge_into(incident: Incident, command: c.MergeInto) -> list[Draft]:
    """Say that it goes on in another one."""
    _endable(incident, "merged")
    if command.into == incident.id:
        raise ConflictError(f"{incident.id} can't be merged into itself")
    text = f"goes on in {command.into}, merged by {command.actor}{_why(command.text)}"
    data: Data = {"into": command.into, "reason": command.text}
    return [Draft(kind=EventKind.MERGED, text=text, data=data)]


def take_over(incident: Incident, command: c.TakeOver) -> list[Draft]:
    """Go on with all that another one has: the worse severity counts, what fires brings it back."""
    source = command.source
    if not incident.is_open:
        raise ConflictError(
            f"{incident.id} is {incident.status} and takes nothing over; reopen it first"
        )
    if source.id == incident.id:
        raise ConflictError(f"{incident.id} can't be merged into itself")
    text = f"takes over {source.id} ({source.title}), merged by {command.actor}"
    drafts = [
        Draft(
            kind=EventKind.TOOK_OVER,
            text=text + _why(command.text),
            data=_taken(incident, source),
        )
    ]
    if source.severity.rank < incident.severity.rank:
        drafts.append(_as_bad_as(incident, source, command.actor))
    findings = {**source.findings, **incident.findings}
    crowds = {**source.crowds, **incident.crowds}
    scopes = (*incident.taken_scopes, *source.declared_scopes)
    after = replace(incident, taken_scopes=scopes)
    back = (f"took over {source.id}, which is not over", None) if source.pages else None
    held = holding(findings.values())
    return drafts + course(after, held, firing_in(crowds), back)


def split_off(incident: Incident, command: c.SplitOff) -> list[Draft]:
    """Give findings away; what is left may be over by it."""
    if not incident.is_open:
        raise ConflictError(f"{incident.id} is {incident.status}; only an open one is split")
    if unknown := [i for i in command.finding_ids if i not in incident.findings]:
        raise ConflictError(f"finding {unknown[0][:100]!r} does not belong to {incident.id}")
    left = [f for i, f in incident.findings.items() if i not in command.finding_ids]
    gone = [incident.findings[i] for i in command.finding_ids]
    if not gone:
        raise ConflictError(f"{incident.id}: name the findings that are split out of it")
    if not left and not incident.is_declared:
        raise ConflictError(f"{incident.id} would have no finding left; merge or decline it")
    text = f"{_titles(gone)} split out into {command.into} by {command.actor}{_why(command.text)}"
    data: Data = {
        "findings": [finding.id for finding in gone],
        "into": command.into,
        "reason": command.text,
    }
    drafts = [Draft(kind=EventKind.SPLIT_OFF, text=text, data=data)]
    return drafts + course(incident, holding(left), firing_in(incident.crowds), None)


def _endable(incident: Incident, what: str) -> None:
    if incident.status not in ENDABLE_STATUSES:
        raise ConflictError(f"{incident.id} is {incident.status} and can't be {what}")


def _taken(incident: Incident, source: Incident) -> Data:
    return {
        "from": source.id,
        "findings": [finding_to_json(f) for f in source.findings.values()],
        "crowds": [_sum(incident.crowds.get(r), crowd) for r, crowd in source.crowds.items()],
        # What only a person knows of and nobody has answered rings once more: here it is news.
        "loud": source.is_declared and source.pages and source.acknowledged_by is None,
        # One for each declaration, also for those that name no place.
        "scopes": [{**scope} for scope in source.declared_scopes],
        "impact_start_ms": source.impact_start_ms,
    }


def _sum(before: Crowd | None, crowd: Crowd) -> dict[str, JsonValue]:
    firing = crowd.firing + (before.firing if before else 0)
    return {
        "rule": crowd.rule,
        "title": crowd.title,
        "firing": firing,
        "seen": crowd.seen + (before.seen if before else 0),
        "latest_ms": max(crowd.latest_ms, before.latest_ms if before else 0),
        "loud": is_loud(before, firing),
    }


def _as_bad_as(incident: Incident, source: Incident, actor: str) -> Draft:
    text = f"{incident.severity} → {source.severity}: {source.id}, taken over, is that bad"
    data: Data = {"from": incident.severity.value, "severity": source.severity.value}
    # A person's word stays a person's; where there was none the machine may still raise it.
    by = MACHINE if incident.severity_by == MACHINE else actor
    return Draft(kind=EventKind.SEVERITY_SET, text=text, data=data, actor=by)


def _titles(findings: list[Finding]) -> str:
    named = [f.title + (" (over)" if f.state is FindingState.RESOLVED else "") for f in findings]
    more = len(named) - MAX_NAMED_IN_TEXT
    return "; ".join(named[:MAX_NAMED_IN_TEXT]) + (f" and {more} more" if more > 0 else "")


def _why(text: str) -> str:
    return f": {text}" if text else ""
