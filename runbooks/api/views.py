"""Incidents, runbooks and decisions as the HTTP API shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anomaly.evidence.near_changes import change_words
from anomaly.findings import NearChange
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.automation.planning import known_values
from runbooks.automation.runbook import Runbook
from runbooks.automation.variables import in_expression, names_in
from runbooks.incidents.crowd import Crowd
from runbooks.incidents.events import Event, JsonValue
from runbooks.incidents.finding_codec import change_to_json, finding_to_json, line_to_json
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking
from runbooks.incidents.states import Role
from runbooks.notifiers.card import Links
from runbooks.notifiers.delivery import Action
from runbooks.paging.outbox import OutboxRow
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind, scoped

Json = dict[str, JsonValue]
MAX_CHARTS = 6
_RELATIVE = Links(dashboard_url="", api_url="")


def summary(incident: Incident, now_ms: int) -> Json:
    """Return an incident as it stands in a list."""
    end_ms = incident.resolved_ms or now_ms
    regions, services = incident.scope_values(REGION), incident.scope_values(SERVICE)
    scope = {REGION: ", ".join(regions), SERVICE: ", ".join(services)}
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity.value,
        "status": incident.status.value,
        "opened_ms": incident.opened_ms,
        "acknowledged_ms": incident.acknowledged_ms,
        "resolved_ms": incident.resolved_ms,
        "elapsed_s": max(0, end_ms - incident.impact_start_ms) / 1000,
        "scope": {key: value for key, value in scope.items() if value},
        "open_tasks": sum(task.done_ms is None for task in incident.tasks.values()),
        "overdue_tasks": sum(task.is_overdue(now_ms) for task in incident.tasks.values()),
    }


def detail(
    incident: Incident,
    *,
    now_ms: int,
    events: Sequence[Event],
    rows: Sequence[OutboxRow],
    runbook: Runbook | None,
    measures: Sequence[ImpactMeasure],
    links: Links = _RELATIVE,
    on_call: str | None = None,
    diagnosis: Sequence[JsonValue] = (),
    escalation: Json | None = None,
) -> Json:
    """Return everything about one incident.

    Args:
        incident: Its state.
        now_ms: The present, epoch milliseconds.
        events: Its whole log.
        rows: Its notifications.
        runbook: The document of the runbook that was proposed.
        measures: What counts as impact; their expressions are worth a chart.
        links: Public addresses.
        on_call: Who is on call for it, in the words of its page; None if no schedule is named.
        diagnosis: What was looked at when it opened, step by step.
        escalation: How its escalation stands; None if it has none.
    """
    address = f"/api/v2/incidents/{incident.id}/post-mortem"
    return summary(incident, now_ms) | {
        "impact_start_ms": incident.impact_start_ms,
        "impact": [{"start_ms": i.start_ms, "end_ms": i.end_ms} for i in incident.impact],
        "detected_ms": incident.opened_ms,
        "paged_ms": incident.paged_ms,
        "mitigated_ms": incident.mitigated_ms,
        "acknowledged_by": incident.acknowledged_by,
        "on_call": on_call,
        "diagnosis": [*diagnosis],
        "escalation": escalation,
        "commander": incident.roles.get(Role.COMMANDER),
        "summary": incident.explanation,
        "services": [*incident.scope_values(SERVICE)],
        "regions": [*incident.scope_values(REGION)],
        "findings": [finding_to_json(finding) for finding in incident.findings.values()],
        "more_findings": [crowd(found) for found in incident.crowds.values()],
        "timeline": [timeline_item(event, links) for event in events],
        "runbook": proposed(incident, runbook),
        "exemplar_trace_ids": [*incident.exemplar_trace_ids],
        "lines": [line_to_json(line) for line in incident.lines],
        "near_changes": [near_change(change, incident) for change in incident.near_changes],
        "notifications": [notification(row) for row in rows if row.action is not Action.EDIT],
        "charts": charts(incident, measures),
        "post_mortem": address if incident.post_mortem_ms is not None else None,
    }


def crowd(found: Crowd) -> Json:
    """Return findings that are only counted."""
    return {
        "rule": found.rule,
        "title": found.title,
        "firing": found.firing,
        "seen": found.seen,
    }


def near_change(change: NearChange, incident: Incident) -> Json:
    """Return a change before the impact, with the words that a page has for it."""
    return change_to_json(change) | {"text": change_words(change, incident.impact_start_ms)}


def timeline_item(event: Event, links: Links) -> Json:
    """Return one entry of the timeline, with the address that leads to it for good."""
    return {
        "seq": event.seq,
        "time_ms": event.time_ms,
        "kind": event.kind.value,
        "actor": event.actor,
        "text": event.text,
        "data": dict(event.data),
        "link": links.event(event.incident_id, event.seq),
    }


def notification(row: OutboxRow) -> Json:
    """Return one notification and what became of it."""
    return {
        "id": row.id,
        "channel": f"{row.notifier}:{row.channel}",
        "action": row.action.value,
        "state": row.state.value,
        "created_ms": row.created_ms,
        "sent_ms": row.sent_ms,
        "attempts": row.attempts,
        "reason": row.reason,
    }


def proposed(incident: Incident, runbook: Runbook | None) -> Json | None:
    """Return the runbook that was proposed, with the state of its steps."""
    found = incident.runbook
    if found is None:
        return None
    texts = {step["id"]: step for step in steps(runbook, incident)} if runbook else {}
    shown: list[JsonValue] = []
    for step_id, state in found.steps.items():
        unknown: Json = {"id": step_id, "title": step_id, "kind": "manual", "detail": ""}
        shown.append({**texts.get(step_id, unknown), "state": state.value})
    return {"name": found.name, "title": found.title, "why": found.reason, "steps": shown}


def document(runbook: Runbook) -> Json:
    """Return a runbook of the library."""
    return {
        "name": runbook.name,
        "title": runbook.title,
        "summary": runbook.summary,
        "inputs": [
            {"name": one.name, "pattern": one.pattern, "default": one.default}
            for one in runbook.inputs
        ],
        "steps": [*steps(runbook)],
    }


def steps(runbook: Runbook, incident: Incident | None = None) -> list[Json]:
    """Return a runbook's steps; their queries with the values of ``incident``, if it has them."""
    known = known_values(incident) if incident else {}
    return [
        {
            "id": step.id,
            "title": step.title,
            "kind": step.kind.value,
            "detail": step.detail,
            "query": _query(step.query, known),
            "command": step.command,
        }
        for step in runbook.steps
    ]


def _query(template: str, known: Mapping[str, str]) -> str:
    return in_expression(template, known) if names_in(template) <= {*known} else template


def charts(incident: Incident, measures: Iterable[ImpactMeasure]) -> list[JsonValue]:
    """Return what is worth a chart: what the findings that speak measure, then the impact."""
    found: dict[str, JsonValue] = {}
    for finding in speaking(incident.findings.values()):
        if not finding.expression:
            continue
        chart: Json = {
            "title": finding.title,
            "expr": finding.expression,
            "unit": finding.unit,
        }
        found.setdefault(finding.expression, chart)
    for measure in measures:
        if measure.kind is MeasureKind.BUDGET:
            continue
        expression = scoped(measure.expr, incident)
        unit = f"{measure.unit}/s"
        found.setdefault(
            expression, {"title": f"{measure.title}, rate", "expr": expression, "unit": unit}
        )
    return list(found.values())[:MAX_CHARTS]
