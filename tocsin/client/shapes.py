"""Shapes of the JSON that the API answers: the contract between the server and its readers.

Times are epoch milliseconds (``_ms``), durations milliseconds or seconds by suffix, ratios 0..1.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class Health(TypedDict):
    """``GET /health``."""

    status: str
    version: str
    step_ms: int
    series: int
    spans: int
    uptime_s: float


class TraceSummary(TypedDict):
    """One row of ``GET /api/v2/traces``."""

    trace_id: str
    root_service: str
    root_name: str
    start_ms: float
    duration_ms: float
    span_count: int
    error_count: int
    services: list[str]


class SpanAnswer(TypedDict):
    """One span of a trace; ``offset_ms`` counts from the trace's start."""

    span_id: str
    parent_span_id: str
    service: str
    name: str
    kind: str
    status: str
    status_message: str
    offset_ms: float
    duration_ms: float
    attributes: dict[str, Any]
    events: list[dict[str, Any]]


class Trace(TypedDict):
    """``GET /api/v2/traces/{id}``."""

    trace_id: str
    start_ms: float
    duration_ms: float
    spans: list[SpanAnswer]
    critical_path: NotRequired[list[str]]


class ServiceEdge(TypedDict):
    """Calls from one service to another."""

    client: str
    server: str
    calls: int
    errors: int
    p50_ms: float | None
    p99_ms: float | None


class ServiceMap(TypedDict):
    """``GET /api/v2/services``."""

    services: list[str]
    edges: list[ServiceEdge]


class BurnRate(TypedDict):
    """One multi-window alert; ``long`` and ``short`` are multiples of the allowed error rate."""

    tier: str
    urgency: str
    long_s: int
    short_s: int
    long: float | None
    short: float | None
    threshold: float
    firing: bool


class Slo(TypedDict):
    """One objective in one scope of ``GET /api/v2/slos``."""

    name: str
    display_name: str
    service: str
    description: str
    target: float
    window_s: int
    scope: dict[str, str]
    state: str
    good_ratio: float | None
    error_budget_remaining: float | None
    error_budget_remaining_projected: NotRequired[float | None]
    coverage: float | None
    burn_rates: list[BurnRate]
    good_expr: str
    total_expr: str
    updated_ms: int
    reasons: NotRequired[list[str]]


class Finding(TypedDict):
    """One thing that is wrong, with the evidence that says so."""

    id: str
    rule: str
    kind: str
    state: str
    urgency: str
    title: str
    explanation: str
    scope: dict[str, str]
    started_ms: int
    detected_ms: int
    updated_ms: int
    ended_ms: int | None
    expression: str
    window_ms: int
    observed: float | None
    baseline: float | None
    unit: str
    values: dict[str, float | None]
    exemplar_trace_ids: list[str]


class NearChange(TypedDict):
    """A change shortly before an impact; that it was near does not make it the cause."""

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str
    scope: dict[str, str]
    url: str
    relation: str
    before_ms: int
    text: str


class IncidentSummary(TypedDict):
    """One row of ``GET /api/v2/incidents``."""

    id: str
    title: str
    severity: str
    status: str
    opened_ms: int
    acknowledged_ms: int | None
    resolved_ms: int | None
    elapsed_s: float
    scope: dict[str, str]


class TimelineEntry(TypedDict):
    """One event of an incident."""

    seq: int
    time_ms: int
    kind: str
    actor: str
    text: str
    data: dict[str, Any]


class RunbookStep(TypedDict):
    """One step of a runbook; ``state`` only within an incident."""

    id: str
    title: str
    kind: str
    detail: str
    query: NotRequired[str | None]
    command: NotRequired[str | None]
    state: NotRequired[str]


class Runbook(TypedDict):
    """A runbook; ``why`` says what made it fit the incident."""

    name: str
    title: str
    why: NotRequired[str]
    steps: list[RunbookStep]


class Notification(TypedDict):
    """One message that left, or why it did not."""

    id: str
    channel: str
    state: str
    sent_ms: int | None
    reason: str | None


class ChartQuery(TypedDict):
    """A chart that an incident proposes."""

    title: str
    expr: str
    unit: str


class Incident(IncidentSummary):
    """``GET /api/v2/incidents/{id}``."""

    impact_start_ms: int | None
    detected_ms: int | None
    paged_ms: int | None
    mitigated_ms: int | None
    acknowledged_by: str | None
    commander: str | None
    summary: str
    services: list[str]
    regions: list[str]
    findings: list[Finding]
    timeline: list[TimelineEntry]
    runbook: Runbook | None
    exemplar_trace_ids: list[str]
    near_changes: NotRequired[list[NearChange]]
    notifications: list[Notification]
    charts: list[ChartQuery]
    post_mortem: str | None


class SlackMessage(TypedDict):
    """A message as the local Slack server keeps it; ``ts`` is Slack's message id."""

    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    attachments: list[dict[str, Any]]
    edited_ts: str | None
    thread: list[SlackMessage]


class SlackChannel(TypedDict):
    """A channel of the local Slack server."""

    id: str
    name: str
    messages: list[SlackMessage]
