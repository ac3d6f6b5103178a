"""What a page says, before any notifier lays it out: every page explains itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from anomaly.evidence.line_kinds import line_words
from anomaly.evidence.near_changes import change_words
from anomaly.findings import Finding, FindingKind, LineKind
from anomaly.promql.written import as_people_write
from runbooks.alerts.grouping import REGION, SERVICE
from runbooks.alerts.similar import Similar
from runbooks.diagnosis.sentence import sentence
from runbooks.incidents.incident import Incident
from runbooks.incidents.live import speaking
from runbooks.incidents.states import OPEN_STATUSES, Severity, Status
from tocsin.client.wording import duration, moment, multiple, quantity, trimmed

MAX_EVIDENCE = 3
MAX_SCOPE = 20
MAX_LABEL = 80
MAX_PAST = 2
"""Similar past incidents that a message links."""

MAX_LINES = 2
"""Kinds of log lines that a message tells; the war room has all."""

MAX_SAID = 500
"""Of the words of a person who declared an incident, in its message."""


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

    def event(self, incident_id: str, seq: int) -> str:
        """Return the address of one entry of a timeline."""
        return f"{self.incident(incident_id)}&event={seq}"

    def trace(self, trace_id: str) -> str:
        """Return a trace's address."""
        return f"{self.dashboard_url}/traces?trace={quote(trace_id)}"

    def lines(self, kind: LineKind) -> str:
        """Return the address of the lines of a kind, of the time in which they were counted."""
        asked = {
            "pattern": kind.pattern,
            "service": kind.service,
            "pin": f"{kind.since_ms}-{kind.until_ms}",
        }
        return f"{self.dashboard_url}/logs?{urlencode(asked)}"

    def post_mortem(self, incident_id: str) -> str:
        """Return the post-mortem's address."""
        return f"{self.api_url}/api/v2/incidents/{quote(incident_id)}/post-mortem?format=html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why it paged: one finding in words, with the expression that gives the value again.

    ``measured`` tells whether we measured it; an alert that somebody else raised has no values.
    """

    title: str
    explanation: str
    expression: str
    observed: str
    baseline: str
    window: str
    measured: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Who is on call for an incident.

    Attributes:
        words: Who, for what and until when; or that nobody is.
        slack: Member id in Slack; empty: not known.
        others: Member ids of all who are called beside that one.
    """

    words: str
    slack: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that a notifier may show of an incident.

    ``fields`` are short name and value pairs; ``links`` are label and address pairs; ``called`` is
    who is on call, None if the incident's route names no schedule. ``diagnosis``
    has a line for each thing that was looked at before anybody was woken. ``lines`` are the most
    telling kinds of log lines near its onset, in words with their address. ``title`` is the
    headline without its severity; ``sentence`` says what it is, as the war room does; ``scope``
    are the incident's tags; it began at ``since_ms`` and ended at ``ended_ms``, epoch
    milliseconds, None if it has not. A ``notice`` is about no incident: a headline and whom it
    calls.
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
    diagnosis: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    title: str = ""
    sentence: str = ""
    scope: tuple[tuple[str, str], ...] = ()
    since_ms: int = 0
    ended_ms: int | None = None
    notice: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the buttons of an open incident make sense."""
        return self.status in OPEN_STATUSES


def card_of(
    incident: Incident,
    links: Links,
    called: Called | None = None,
    similar: Sequence[Similar] = (),
) -> Card:
    """Return what a page about ``incident`` says now.

    Args:
        incident: As it is.
        links: Public addresses.
        called: Who is on call for it.
        similar: Past incidents that look like it, the likest first.
    """
    ranked = speaking(incident.findings.values())
    ranked += tuple(f for f in incident.findings.values() if f not in ranked)
    return Card(
        incident_id=incident.id,
        headline=f"[{incident.severity}] {incident.title}",
        severity=incident.severity,
        status=incident.status,
        acknowledged=incident.acknowledged_by is not None,
        fields=_fields(incident, ranked[0] if ranked else None),
        evidence=tuple(evidence_of(f) for f in ranked[:MAX_EVIDENCE]),
        more_evidence=max(0, len(ranked) - MAX_EVIDENCE) + incident.more_seen,
        links=(*_links(incident, links), *_past(similar, links)),
        called=called,
        lines=tuple((line_words(one), links.lines(one)) for one in incident.lines[:MAX_LINES]),
        title=incident.title,
        sentence=sentence(incident),
        scope=_scope(incident),
        since_ms=incident.impact_start_ms,
        ended_ms=incident.resolved_ms,
    )


def _past(similar: Sequence[Similar], links: Links) -> list[tuple[str, str]]:
    return [
        (
            trimmed(f"Similar: {one.incident.title} ({one.why})", MAX_LABEL, "…"),
            links.incident(one.incident.id),
        )
        for one in similar[:MAX_PAST]
    ]


def evidence_of(finding: Finding) -> Evidence:
    """Return ``finding`` in words."""
    return Evidence(
        title=finding.title,
        explanation=finding.explanation,
        expression=as_people_write(finding.expression),
        observed=quantity(finding.observed, finding.unit),
        baseline=quantity(finding.baseline, finding.unit, missing="none"),
        window=duration(finding.window_ms / 1000),
        measured=finding.kind is not FindingKind.ALERT,
    )


def _scope(incident: Incident) -> tuple[tuple[str, str], ...]:
    keys = sorted({key for finding in incident.findings.values() for key in finding.scope})
    return tuple((key, ", ".join(incident.scope_values(key))) for key in keys[:MAX_SCOPE])


def _fields(incident: Incident, worst: Finding | None) -> tuple[tuple[str, str], ...]:
    fields = [("Status", incident.status.value)]
    if incident.merged_into is not None:
        fields.append(("Goes on in", incident.merged_into))
    if regions := incident.scope_values(REGION):
        fields.append(("Region", ", ".join(regions)))
    if services := incident.scope_values(SERVICE):
        fields.append(("Service", ", ".join(services)))
    fields.append(("Since", moment(incident.impact_start_ms)))
    fields += _declared(incident) if worst is None else _observed(worst)
    if incident.near_changes:
        words = change_words(incident.near_changes[0], incident.impact_start_ms)
        fields.append(("Nearest change", words))
    if incident.acknowledged_by:
        fields.append(("Acknowledged by", incident.acknowledged_by))
    return tuple(fields)[:10]


def _declared(incident: Incident) -> list[tuple[str, str]]:
    """Return what a person said, where nothing was measured."""
    declared = incident.declared
    if declared is None:
        return []
    said = [("Declared by", declared.by)]
    return [*said, ("What", trimmed(declared.text, MAX_SAID, "…"))] if declared.text else said


def _observed(worst: Finding) -> list[tuple[str, str]]:
    seen = evidence_of(worst)
    burns = worst.kind is FindingKind.SLO_BURN
    names = (f"Bad over {seen.window}", "Allowed") if burns else ("At worst", "Expected")
    told = zip(names, (seen.observed, seen.baseline), strict=True)
    fields = [*told] if seen.measured else []
    for name in ("burn_rate_long", "burn_rate_short"):
        if name in worst.values:
            # The title has the worst; this is how it stands, and over which window.
            window_s = worst.values.get(name.rpartition("_")[2] + "_s")
            over = f" over {duration(window_s)}" if window_s else ""
            fields.append((f"Burns now{over}", multiple(worst.values[name])))
    return fields


def _links(incident: Incident, links: Links) -> tuple[tuple[str, str], ...]:
    shown = [("War room", links.incident(incident.id))]
    if incident.merged_into is not None:
        shown = [(f"War room of {incident.merged_into}", links.incident(incident.merged_into))]
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
