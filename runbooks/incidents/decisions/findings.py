"""Findings that open an incident, join it, and change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding, FindingState, NearChange, Urgency
from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.course import consequences
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.decisions.titles import retitled
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.finding_codec import change_to_json, finding_to_json
from runbooks.incidents.incident import Incident


def add_finding(incident: Incident, command: c.AddFinding) -> list[Draft]:
    """Take a further finding in; one that is in already has changed."""
    finding = command.finding
    if finding.id in incident.findings:
        return change_finding(incident, c.ChangeFinding(finding=finding))
    text = f"{finding.title} ({command.why})"
    data: Data = {"finding": finding_to_json(finding), "why": command.why}
    added = [Draft(kind=EventKind.FINDING_ADDED, text=text, data=data)]
    return added + _following(incident, finding)


def change_finding(incident: Incident, command: c.ChangeFinding) -> list[Draft]:
    """Take note of a finding's change if it is worth an event."""
    finding = command.finding
    before = incident.findings.get(finding.id)
    if before is None:
        raise ConflictError(f"finding {finding.id} does not belong to {incident.id}")
    change = _change(before, finding)
    if change is None:
        return []
    what = _found(before, finding) if change == EVIDENCE else _CHANGE_TEXTS[change]
    text = f"{finding.title}: {what}"
    data: Data = {"finding": finding_to_json(finding), "change": change}
    changed = [Draft(kind=EventKind.FINDING_CHANGED, text=text, data=data)]
    return changed + _following(incident, finding)


def _following(incident: Incident, finding: Finding) -> list[Draft]:
    told = nearer(incident, finding) + retitled(incident, finding)
    return told + consequences(incident, finding)


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
    return EVIDENCE if _found(before, after) else None


def _found(before: Finding, after: Finding) -> str:
    """Return what evidence of a finding is new, in words; "" if none is worth an event."""
    if len(after.changes) > len(before.changes):
        return "a change before it became known"
    if after.exemplar_trace_ids and not before.exemplar_trace_ids:
        return "exemplar traces were found"
    if after.lines and not before.lines:
        return "log lines that may be about it were found"
    other = _nearest(before) != _nearest(after)
    return "another change before it is the nearest" if other else ""


def _nearest(finding: Finding) -> str:
    return finding.changes[0].id if finding.changes else ""


def nearer(incident: Incident, finding: Finding) -> list[Draft]:
    """Return a note if ``finding`` brings a change nearer than what is known."""
    known = {change.id for change in incident.near_changes[:1]}
    findings = {**incident.findings, finding.id: finding}
    nearest = replace(incident, findings=findings).near_changes[:1]
    return (
        []
        if known >= {change.id for change in nearest}
        else noted(nearest, incident.impact_start_ms)
    )


def noted(changes: Sequence[NearChange], onset_ms: int) -> list[Draft]:
    """Return a note for each change, in words that tell how long before the onset it was."""
    return [
        Draft(
            kind=EventKind.CHANGE_NOTED,
            text=f"nearest change: {change_words(change, onset_ms)}",
            data={"near_change": change_to_json(change)},
        )
        for change in changes
    ]


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
}
