"""What a page says, before any notifier lays it out: every page explains itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding, FindingState, Urgency
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity, Status
from tocsin.client.wording import duration, moment, multiple, quantity, trimmed

MAX_EVIDENCE = 3
MAX_LABEL = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Public addresses.

    Attributes:
        dashboard_url: Of the dashboard, such as ``http://127.0.0.1:8501``.
        api_url: Of the HTTP API, such as ``http://127.0.0.1:7101``.
    """

    dashboard_url: str
    api_url: str

    def incident(self, incident_id: str) -> str:
        """Return the war room's address."""
        return f"{self.dashboard_url}/war_room?incident={quote(incident_id)}"

    def trace(self, trace_id: str) -> str:
        """Return a trace's address."""
        return f"{self.dashboard_url}/traces?trace={quote(trace_id)}"

    def post_mortem(self, incident_id: str) -> str:
        """Return the post-mortem's address."""
        return f"{self.api_url}/api/v2/incidents/{quote(incident_id)}/post-mortem?format=html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why it paged: one finding in words, with the expression that gives the value again."""

    title: str
    explanation: str
    expression: str
    observed: str
    baseline: str
    window: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Who is on call for an incident.

    Attributes:
        words: Who, for what and until when; or that nobody is.
        slack: Member id in Slack; empty: not known.
    """

    words: str
    slack: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that a notifier may show of an incident.

    ``fields`` are short name and value pairs; ``links`` are label and address pairs; ``called`` is
    who is on call, None if the incident's route names no schedule.
    """

    incident_id: str
    headline: str
    severity: Severity
    status: Status
    acknowledged: bool
    fields: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]
    more_evidence: int
    links: tuple[tuple[str, str], ...]
    called: Called | None = None

    @property
    def is_open(self) -> bool:
        """Whether the buttons of an open incident make sense."""
        return self.status not in {Status.RESOLVED, Status.CLOSED}


def card_of(incident: Incident, links: Links, called: Called | None = None) -> Card:
    """Return what a page about ``incident`` says now."""
    ranked = sorted(incident.findings.values(), key=_importance)
    return Card(
        incident_id=incident.id,
        headline=f"[{incident.severity}] {incident.title}",
        severity=incident.severity,
        status=incident.status,
        acknowledged=incident.acknowledged_by is not None,
        fields=_fields(incident, ranked[0]),
        evidence=tuple(evidence_of(f) for f in ranked[:MAX_EVIDENCE]),
        more_evidence=max(0, len(ranked) - MAX_EVIDENCE),
        links=_links(incident, links),
        called=called,
    )


def evidence_of(finding: Finding) -> Evidence:
    """Return ``finding`` in words."""
    return Evidence(
        title=finding.title,
        explanation=finding.explanation,
        expression=finding.expression,
        observed=quantity(finding.observed, finding.unit),
        baseline=quantity(finding.baseline, finding.unit, missing="none"),
        window=duration(finding.window_ms / 1000),
    )


def _importance(finding: Finding) -> tuple[bool, bool, int]:
    over = finding.state is FindingState.RESOLVED
    return over, finding.urgency is not Urgency.PAGE, finding.started_ms


def _fields(incident: Incident, worst: Finding) -> tuple[tuple[str, str], ...]:
    fields = [("Status", incident.status.value)]
    if regions := incident.scope_values(REGION):
        fields.append(("Region", ", ".join(regions)))
    if services := incident.scope_values(SERVICE):
        fields.append(("Service", ", ".join(services)))
    fields.append(("Since", moment(incident.impact_start_ms)))
    seen = evidence_of(worst)
    fields.append(("Observed", seen.observed))
    fields.append(("Baseline", seen.baseline))
    for name in ("burn_rate_long", "burn_rate_short"):
        if name in worst.values:
            label = name.replace("_", " ").capitalize()
            fields.append((label, multiple(worst.values[name])))
    if incident.near_changes:
        words = change_words(incident.near_changes[0], incident.impact_start_ms)
        fields.append(("Nearest change", words))
    if incident.acknowledged_by:
        fields.append(("Acknowledged by", incident.acknowledged_by))
    return tuple(fields)[:10]


def _links(incident: Incident, links: Links) -> tuple[tuple[str, str], ...]:
    shown = [("War room", links.incident(incident.id))]
    if incident.exemplar_trace_ids:
        shown.append(("Exemplar trace", links.trace(incident.exemplar_trace_ids[0])))
    if incident.near_changes and incident.near_changes[0].url:
        nearest = incident.near_changes[0]
        shown.append((f"Nearest change: {trimmed(nearest.summary, MAX_LABEL, '…')}", nearest.url))
    if incident.runbook is not None:
        room = links.incident(incident.id)
        shown.append((f"Runbook: {incident.runbook.title}", f"{room}#runbook"))
    if incident.post_mortem_ms is not None:
        shown.append(("Post-mortem", links.post_mortem(incident.id)))
    return tuple(shown)
