"""Findings of one cause belong to one incident. Pure; every answer carries its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from anomaly.findings import Finding, FindingState, Urgency
from collectors.model import Tags
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.incidents.incident import Incident

SERVICE = "service.name"
REGION = "cloud.region"

ServiceEdge = tuple[str, str]
"""Client and server: the former calls the latter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRules:
    """How near is near.

    Attributes:
        window_ms: An incident takes in a finding that starts up to this long before its impact
            or after the last of its findings started.
        reopen_ms: The same rule firing again in the same place within this time after the
            resolution reopens the incident.
    """

    window_ms: int = 600_000
    reopen_ms: int = 600_000


def group(
    finding: Finding,
    incidents: Iterable[Incident],
    edges: Collection[ServiceEdge],
    rules: GroupingRules,
    now_ms: int,
) -> Decision:
    """Decide what becomes of a finding that no incident has yet.

    Args:
        finding: The finding.
        incidents: Open ones and those that were resolved lately.
        edges: Which service calls which.
        rules: How near is near.
        now_ms: The present, epoch milliseconds.
    """
    if finding.state is FindingState.RESOLVED:
        return Decision(outcome=Outcome.ENDED, reason="it was over before it was seen")
    candidates = sorted(
        (ranked for i in incidents if (ranked := _rank(finding, i, edges, rules, now_ms))),
        key=lambda ranked: ranked.order,
    )
    if candidates:
        best = candidates[0]
        return Decision(outcome=best.outcome, reason=best.why, incident_id=best.incident.id)
    if finding.urgency is not Urgency.PAGE:
        reason = f"urgency {finding.urgency}: recorded, nobody is woken"
        return Decision(outcome=Outcome.RECORDED, reason=reason)
    if finding.state is FindingState.FROZEN:
        return Decision(outcome=Outcome.RECORDED, reason="its data stopped before it was paged")
    return Decision(outcome=Outcome.OPENS, reason="no related incident is open")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    order: tuple[int, int, int]
    incident: Incident
    outcome: Outcome
    why: str


def _rank(
    finding: Finding,
    incident: Incident,
    edges: Collection[ServiceEdge],
    rules: GroupingRules,
    now_ms: int,
) -> _Candidate | None:
    relation = nearest_relation(finding, incident, edges)
    if relation is None:
        return None
    strength, why = relation
    if incident.is_open:
        if not _near(finding, incident, rules):
            return None
        outcome, why = Outcome.JOINS, f"grouped: {why}, started near it in time"
    else:
        resolved_ms = incident.resolved_ms or 0
        if finding.started_ms <= resolved_ms:
            outcome = Outcome.JOINS_ENDED
            why = f"late evidence: {why}, it began before the incident was resolved"
        elif _same_rule(finding, incident) and now_ms - resolved_ms <= rules.reopen_ms:
            outcome = Outcome.REOPENS
            why = f"again: the same rule fired {(now_ms - resolved_ms) // 1000} s after resolution"
        else:
            return None
    return _Candidate(
        order=(0 if incident.is_open else 1, strength, -incident.opened_ms),
        incident=incident,
        outcome=outcome,
        why=why,
    )


def nearest_relation(
    finding: Finding, incident: Incident, edges: Collection[ServiceEdge]
) -> tuple[int, str] | None:
    """Return how ``finding`` relates to ``incident``: strength (0 strongest) and why, or None."""
    found = (relation(finding.scope, other.scope, edges) for other in incident.findings.values())
    return min((r for r in found if r is not None), default=None)


def relation(one: Tags, other: Tags, edges: Collection[ServiceEdge]) -> tuple[int, str] | None:
    """Return how two scopes relate: strength (0 strongest) and why, or None.

    >>> relation({"cloud.region": "eu"}, {"cloud.region": "eu", "service.name": "auth"}, ())
    (2, 'same region eu')
    """
    regions, services = (one.get(REGION), other.get(REGION)), (one.get(SERVICE), other.get(SERVICE))
    same_region = regions[0] is not None and regions[0] == regions[1]
    same_service = services[0] is not None and services[0] == services[1]
    if same_region and same_service:
        return 0, f"same service {services[0]} in the same region {regions[0]}"
    if same_service:
        return 1, f"same service {services[0]}"
    if same_region:
        return 2, f"same region {regions[0]}"
    if _both(services) and (services in edges or services[::-1] in edges):
        return 3, f"{services[0]} and {services[1]} call each other"
    if not _both(regions) and not _both(services):
        return 4, "nothing in their scopes tells them apart"
    return None


def _both(pair: tuple[str | None, str | None]) -> bool:
    return None not in pair


def _near(finding: Finding, incident: Incident, rules: GroupingRules) -> bool:
    starts = [f.started_ms for f in incident.findings.values()]
    earliest = min(incident.impact_start_ms, *starts) - rules.window_ms
    latest = max(*starts, incident.opened_ms) + rules.window_ms
    return earliest <= finding.started_ms <= latest


def _same_rule(finding: Finding, incident: Incident) -> bool:
    return any(
        other.rule == finding.rule and dict(other.scope) == dict(finding.scope)
        for other in incident.findings.values()
    )
