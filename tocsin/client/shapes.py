"""Shapes of the JSON that the API answers: the contract between the server and its readers.

Times are epoch milliseconds (``_ms``), durations milliseconds or seconds by suffix, ratios 0..1.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from tocsin.client.response.incident_shapes import Progress
from tocsin.client.response.oncall_shapes import EscalationState


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
    dropped_spans: int
    matched_spans: NotRequired[int]


class SpanAnswer(TypedDict):
    """One span of a trace; ``offset_ms`` counts from the trace's start.

    ``parent`` is the position of its parent among the trace's spans, ``critical_ms`` its own time
    on the critical path, None off it.
    """

    span_id: str
    parent_span_id: str
    parent: int | None
    service: str
    name: str
    kind: str
    status: str
    status_message: str
    offset_ms: float
    duration_ms: float
    self_ms: float
    critical_ms: float | None
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEvent]


class SpanEvent(TypedDict):
    """Something that happened within a span; ``offset_ms`` counts from the trace's start."""

    name: str
    offset_ms: float
    attributes: dict[str, Any]


class Trace(TypedDict):
    """``GET /api/v2/traces/{id}``.

    ``critical_path`` names the spans that the trace waited for, ``critical_ms`` each one's own time
    on it; both lack when the trace has too many spans to say.
    """

    trace_id: str
    start_ms: float
    duration_ms: float
    dropped_spans: int
    incomplete: NotRequired[str]
    spans: list[SpanAnswer]
    critical_path: NotRequired[list[str]]
    critical_ms: NotRequired[dict[str, float]]


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
    """One multi-window alert; ``long`` and ``short`` are multiples of the allowed error rate.

    ``coverage`` is the measured share of the long window.
    """

    tier: str
    urgency: str
    long_s: float
    short_s: float
    long: float | None
    short: float | None
    threshold: float
    firing: bool
    verdict: str
    coverage: NotRequired[float | None]


class BudgetForecast(TypedDict):
    """When a budget is gone if it goes on as it did over the last ``basis_s``.

    ``gone_ms`` is the likeliest moment, at or before now when it is gone already; ``earliest_ms``
    and ``latest_ms`` are the band of 90 %. None is not before ``until_ms``.
    """

    gone_ms: int | None
    earliest_ms: int | None
    latest_ms: int | None
    until_ms: int
    basis_s: float


class Slo(TypedDict):
    """One objective in one scope of ``GET /api/v2/slos``."""

    name: str
    display_name: str
    service: str
    description: str
    target: float
    window_s: float
    scope: dict[str, str]
    state: str
    good_ratio: float | None
    error_budget_remaining: float | None
    error_budget_remaining_projected: float | None
    coverage: float | None
    burn_rates: list[BurnRate]
    forecast: NotRequired[BudgetForecast | None]
    window: NotRequired[str]
    method: NotRequired[str]
    source: NotRequired[str]
    good_expr: str
    total_expr: str
    updated_ms: int
    reasons: list[str]


class Change(TypedDict):
    """A change shortly before a finding; that it was near does not make it the cause."""

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str
    scope: dict[str, str]
    url: str
    relation: str
    before_ms: int
    why: str
    compared: str


class AnnouncedChange(TypedDict):
    """One row of ``GET /api/v2/changes``; ``end_ms`` only where the end was told.

    ``compared`` says how its service does since, against before, where that is known.
    """

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str
    scope: dict[str, str]
    url: str
    author: str
    end_ms: NotRequired[int]
    compared: NotRequired[str]
    compared_ms: NotRequired[int]


class ChangeReceipt(TypedDict):
    """What became of announced changes: how many are new, were known, and were refused and why."""

    ids: list[str]
    accepted: int
    known: int
    rejected: list[dict[str, str]]


class DetectorRow(TypedDict):
    """One series of a detector rule of ``GET /api/v2/detectors``."""

    name: str
    display_name: str
    detector: str
    expr: str
    unit: str
    scope: dict[str, str]
    state: str
    value: float | None
    expected: float | None
    noise: float | None
    score: float | None
    updated_ms: int
    fault: str | None
    refused: int


class NearChange(Change):
    """A change shortly before an impact, in words."""

    text: str


class LineKind(TypedDict):
    """A kind of log line that is new near an onset (``new``), or comes far more often.

    ``words`` says all of it as pages, messages and post-mortems do; ``sample`` is one line.
    """

    pattern: str
    text: str
    service: str
    severity: str
    new: bool
    since_ms: int
    until_ms: int
    count: int
    before: int
    among: int
    before_ms: int
    sample: str
    trace_id: str
    words: str


class Suspect(TypedDict):
    """A service that may be the cause, with the path to it and what speaks against it.

    ``text`` says all of it in the words of the page and the post-mortem; ``onsets_ms`` goes with
    ``path``, 0 where it is not known since when a service is off.
    """

    service: str
    share: float
    reason: str
    path: list[str]
    against: list[str]
    onsets_ms: list[int]
    felt_by: list[str]
    text: str


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
    changes: list[Change]
    suspects: list[Suspect]
    explained_by: dict[str, str]
    lines: list[LineKind]
    given_up: bool
    subject: str


class FindingDecision(TypedDict):
    """One row of ``GET /api/v2/finding-decisions``; ``finding`` is as it was then.

    ``outcome`` is opens, joins, joins_ended, counted, reopens, recorded, ended or suppressed; with
    the last three nobody is told.
    """

    id: int
    time_ms: int
    finding_id: str
    outcome: str
    reason: str
    incident_id: str | None
    finding: dict[str, Any]


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
    open_tasks: int
    overdue_tasks: int


class TimelineEntry(TypedDict):
    """One event of an incident; ``link`` is its address for good."""

    seq: int
    time_ms: int
    kind: str
    actor: str
    text: str
    data: dict[str, Any]
    link: str


class RunbookStep(TypedDict):
    """One step of a runbook; ``state`` only within an incident."""

    id: str
    title: str
    kind: str
    detail: str
    query: str | None
    command: str | None


class RunbookInput(TypedDict):
    """What is said when a run begins; ``default`` is "" if it must be said."""

    name: str
    pattern: str
    default: str


class Runbook(TypedDict):
    """A runbook of ``GET /api/v2/runbooks``."""

    name: str
    title: str
    summary: str
    inputs: list[RunbookInput]
    steps: list[RunbookStep]


class DiagnosisResult(TypedDict):
    """What was looked at when an incident opened; ``state`` is ``late`` if not in time.

    ``nothing`` says that it looked for something and there is none; ``measured`` is False if there
    were no data.
    """

    step: str
    title: str
    state: str
    text: str
    line: str
    nothing: bool
    measured: bool


class ProposedStep(RunbookStep):
    """One step of the runbook that an incident proposes, and how far it is."""

    state: str


class ProposedRunbook(TypedDict):
    """The runbook that an incident proposes; ``why`` says what made it fit."""

    name: str
    title: str
    why: str
    steps: list[ProposedStep]


class Notification(TypedDict):
    """One message that left, or why it did not."""

    id: int
    channel: str
    action: str
    state: str
    created_ms: int
    sent_ms: int | None
    attempts: int
    reason: str


class ChartQuery(TypedDict):
    """A chart that an incident proposes."""

    title: str
    expr: str
    unit: str


class ImpactInterval(TypedDict):
    """A time of impact; ``end_ms`` is None while it lasts."""

    start_ms: int
    end_ms: int | None


class Crowd(TypedDict):
    """Findings of a rule that an incident counts and does not name."""

    rule: str
    title: str
    firing: int
    seen: int


class Incident(IncidentSummary, Progress):
    """``GET /api/v2/incidents/{id}``."""

    impact_start_ms: int
    impact: list[ImpactInterval]
    detected_ms: int
    paged_ms: int | None
    mitigated_ms: int | None
    acknowledged_by: str | None
    on_call: str | None
    diagnosis: list[DiagnosisResult]
    escalation: EscalationState | None
    commander: str | None
    summary: str
    services: list[str]
    regions: list[str]
    findings: list[Finding]
    timeline: list[TimelineEntry]
    runbook: ProposedRunbook | None
    exemplar_trace_ids: list[str]
    lines: list[LineKind]
    near_changes: list[NearChange]
    more_findings: list[Crowd]
    notifications: list[Notification]
    charts: list[ChartQuery]
    post_mortem: str | None
