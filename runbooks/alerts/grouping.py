"""Findings of one cause belong to one incident. Pure; every answer carries its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from anomaly.findings import Finding, FindingState, Relation, Urgency
from collectors.model import Tags
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.alerts.storm import StormRules
from runbooks.incidents.incident import Incident

SERVICE = "service.name"
REGION = "cloud.region"

_MIN_ACCUSING = 0.5

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
        storm: When there are too many for each to be looked at by itself.
    """

    window_ms: int = 600_000
    reopen_ms: int = 600_000
    storm: StormRules = field(default_factory=StormRules)


def group(
    finding: Finding,
    incidents: Iterable[Incident],
    edges: Collection[ServiceEdge],
    rules: GroupingRules,
    now_ms: int,
    places: int = 1,
) -> Decision:
    """Decide what becomes of a finding that no incident has yet.

    Args:
        finding: The finding.
        incidents: Open ones and those that were resolved lately.
        edges: Which service calls which.
        rules: How near is near.
        now_ms: The present, epoch milliseconds.
        places: In how many places its rule fires.
    """
    if finding.state is FindingState.RESOLVED:
        return Decision(outcome=Outcome.ENDED, reason="it was over before it was seen")
    candidates = sorted(
        (r for i in incidents if (r := _rank(finding, i, edges, rules, now_ms, places))),
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
    places: int,
) -> _Candidate | None:
    relation = nearest_relation(finding, incident, edges)
    if relation is None and places >= rules.storm.places and _has_rule(incident, finding.rule):
        relation = 5, f"its rule fires in {places:,} places at once"
    if relation is None:
        return None
    strength, why = relation
    if incident.is_open:
        if not near_in_time(finding, incident, rules):
            return None
        outcome, why = Outcome.JOINS, f"grouped: {why}, started near it in time"
    else:
        ended = _ended(finding, incident, rules, now_ms - (incident.resolved_ms or 0))
        if ended is None:
            return None
        outcome, reason = ended
        why = f"{reason}: {why}"
    return _Candidate(
        order=(0 if incident.is_open else 1, strength, -incident.opened_ms),
        incident=incident,
        outcome=outcome,
        why=why,
    )


def _ended(
    finding: Finding, incident: Incident, rules: GroupingRules, since_ms: int
) -> tuple[Outcome, str] | None:
    """Return what becomes of a finding that belongs to an incident resolved ``since_ms`` ago.

    What pages now is told now, whenever it may have begun: an onset is an estimate.
    """
    began_before = finding.started_ms <= (incident.resolved_ms or 0)
    pages = finding.urgency is Urgency.PAGE and finding.state is FindingState.FIRING
    if not pages:
        late = "late evidence, it began before the incident was resolved"
        return (Outcome.JOINS_ENDED, late) if began_before else None
    if since_ms <= rules.reopen_ms and (began_before or _same_rule(finding, incident)):
        return Outcome.REOPENS, f"again, it fires {max(0, since_ms) // 1000} s after resolution"
    return None


def nearest_relation(
    finding: Finding, incident: Incident, edges: Collection[ServiceEdge]
) -> tuple[int, str] | None:
    """Return how ``finding`` relates to ``incident``: strength (0 strongest) and why, or None."""
    found = [relation(finding, other, edges) for other in incident.findings.values()]
    said = [_by_scope(scope, finding.scope, edges) for scope in incident.declared_scopes]
    found += [(one[0], f"{one[1]} as was declared") for one in said if one is not None]
    return min((r for r in found if r is not None), default=None)


def relation(
    one: Finding, other: Finding, edges: Collection[ServiceEdge]
) -> tuple[int, str] | None:
    """Return why two findings belong together: strength (0 strongest) and why, or None.

    It takes a reason to belong together. That nothing tells two apart is none, nor is a region,
    in which everything may fail for reasons of its own.
    """
    if one.rule == other.rule and dict(one.scope) == dict(other.scope):
        return 0, "same rule in the same place"
    by_scope = _by_scope(one.scope, other.scope, edges)
    return by_scope or _by_change(one, other) or _by_suspect(one, other)


def _by_scope(one: Tags, other: Tags, edges: Collection[ServiceEdge]) -> tuple[int, str] | None:
    """Return how two scopes relate: strength and why, or None.

    >>> _by_scope({"cloud.region": "eu"}, {"cloud.region": "eu", "service.name": "auth"}, ())
    >>> _by_scope({"service.name": "auth"}, {"cloud.region": "eu", "service.name": "auth"}, ())
    (2, 'same service auth')
    """
    region, service = one.get(REGION), one.get(SERVICE)
    if service is None or other.get(SERVICE) is None:
        return None
    if service == other[SERVICE]:
        if region is not None and region == other.get(REGION):
            return 1, f"same service {service} in the same region {region}"
        return 2, f"same service {service}"
    called = other[SERVICE]
    if (service, called) in edges or (called, service) in edges:
        return 3, f"{service} and {called} call each other"
    return None


def _by_change(one: Finding, other: Finding) -> tuple[int, str] | None:
    """Return that the nearest change before both is the same one, in a place that is theirs."""
    if not one.changes or not other.changes or one.changes[0].id != other.changes[0].id:
        return None
    nearest = one.changes[0]
    if _ELSEWHERE & {nearest.relation, other.changes[0].relation}:
        return None
    return 4, f"the same change before both: {nearest.summary}"


def _by_suspect(one: Finding, other: Finding) -> tuple[int, str] | None:
    """Return that traces of both accuse one service, or those of one the other's own."""
    accused, too = _accused(one), _accused(other)
    if accused and accused == too:
        return 4, f"the traces of both point at {accused}"
    for service, others in ((accused, other), (too, one)):
        if service and others.scope.get(SERVICE) == service:
            return 4, f"the traces of one point at {service}, which the other is about"
    return None


def _accused(finding: Finding) -> str:
    """Return the service that most of the evidence points at and nothing clears; empty: none.

    It takes a way there, by traces: what failed first may have failed for reasons of its own.
    """
    suspect = finding.suspects[0] if finding.suspects else None
    if suspect is None or suspect.share < _MIN_ACCUSING or suspect.against or not suspect.path:
        return ""
    return suspect.service


_ELSEWHERE = frozenset({Relation.UNBOUND, Relation.OTHER_SERVICE, Relation.OTHER_REGION})


def near_in_time(finding: Finding, incident: Incident, rules: GroupingRules) -> bool:
    """Return whether ``finding`` began near enough to what ``incident`` has."""
    starts = [f.started_ms for f in incident.findings.values()]
    earliest_ms = min([incident.impact_start_ms, *starts]) - rules.window_ms
    if not starts and not incident.crowds:
        # Somebody says that it fails; what is found while it is open tells of the same.
        return earliest_ms <= finding.started_ms
    latest_ms = [incident.opened_ms, *(c.latest_ms for c in incident.crowds.values())]
    return earliest_ms <= finding.started_ms <= max(*latest_ms, *starts) + rules.window_ms


def _has_rule(incident: Incident, rule: str) -> bool:
    return rule in incident.crowds or any(f.rule == rule for f in incident.findings.values())


def _same_rule(finding: Finding, incident: Incident) -> bool:
    return any(
        other.rule == finding.rule and dict(other.scope) == dict(finding.scope)
        for other in incident.findings.values()
    )
