"""Incidents that begin: of a finding, by a person's word, or split out of another. Pure."""

from __future__ import annotations

from anomaly.findings import FindingState
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.course import holding
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.decisions.findings import noted
from runbooks.incidents.events import MACHINE, Data, EventKind
from runbooks.incidents.finding_codec import finding_to_json
from runbooks.incidents.states import Status


def open_of_finding(command: c.Open, now_ms: int) -> list[Draft]:
    """Return what opens an incident of a finding, with the change nearest before it."""
    del now_ms
    finding = command.finding
    data: Data = {
        "title": command.title or finding.title,
        "severity": command.severity.value,
        "impact_start_ms": finding.started_ms,
        "finding": finding_to_json(finding),
    }
    text = f"{command.title or finding.title}. {command.severity}: {command.why}"
    opened = Draft(kind=EventKind.OPENED, text=text, data=data)
    return [opened, *noted(finding.changes[:1], finding.started_ms)]


def declare(command: c.Declare, now_ms: int) -> list[Draft]:
    """Return what opens an incident by a person's word; nothing is made up that none has found."""
    started_ms = now_ms if command.started_ms is None else min(command.started_ms, now_ms)
    data: Data = {
        "title": command.title,
        "severity": command.severity.value,
        "impact_start_ms": started_ms,
        "declared": {"by": command.actor, "text": command.text, "scope": {**command.scope}},
    }
    text = f"{command.title}. {command.severity}: declared by {command.actor}"
    text += f": {command.text}" if command.text else ""
    return [Draft(kind=EventKind.OPENED, text=text, data=data)]


def open_apart(command: c.OpenApart, now_ms: int) -> list[Draft]:
    """Return what opens an incident of findings that were split out of another."""
    del now_ms
    title = command.title or command.findings[0].title
    data: Data = {
        "title": title,
        "severity": command.severity.value,
        "impact_start_ms": min(f.started_ms for f in command.findings),
        "findings": [finding_to_json(finding) for finding in command.findings],
        "split_from": command.source,
    }
    text = f"{title}. {command.severity}: {command.why}; split out of {command.source}"
    opened = Draft(kind=EventKind.OPENED, text=text, data=data)
    held = holding(command.findings)
    if any(f.state is not FindingState.RESOLVED or f.given_up for f in held):
        return [opened]
    over: Data = {
        "from": Status.TRIAGE.value,
        "to": Status.MITIGATED.value,
        "impact_end_ms": max(f.ended_ms or f.updated_ms for f in held),
    }
    words = f"{Status.MITIGATED}: every finding is over"
    return [opened, Draft(kind=EventKind.STATUS_SET, text=words, data=over, actor=MACHINE)]
