"""How findings compare with what an incident has of them already. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from anomaly.findings import Finding, FindingState, Urgency
from runbooks.alerts.outcomes import Decision, Outcome
from runbooks.desk.crowds import MAX_NAMED, MAX_NAMED_OF_RULE
from runbooks.incidents.incident import Incident

MAX_ALIKE = 25
"""Decisions of one kind about one rule that are kept one by one; of further ones their number."""


def is_full(incident: Incident, finding: Finding) -> bool:
    """Return whether an incident names so many findings that a further one is counted."""
    findings = incident.findings
    if finding.id in findings:
        return False
    of_rule = sum(known.rule == finding.rule for known in findings.values())
    return of_rule >= MAX_NAMED_OF_RULE or len(findings) >= MAX_NAMED


def summed_up(decided: Sequence[tuple[Finding, Decision]]) -> list[tuple[Finding, Decision]]:
    """Return the first decisions of each kind about a rule; the last tells how many follow."""
    alike: dict[tuple[str, Outcome, str | None], list[tuple[Finding, Decision]]] = {}
    for finding, decision in decided:
        kind = (finding.rule, decision.outcome, decision.incident_id)
        alike.setdefault(kind, []).append((finding, decision))
    kept: list[tuple[Finding, Decision]] = []
    for same in alike.values():
        kept += same[:MAX_ALIKE]
        if len(same) > MAX_ALIKE:
            finding, last = same[MAX_ALIKE]
            more = f"and {len(same) - MAX_ALIKE - 1:,} more of its rule with the same outcome"
            kept.append((finding, replace(last, reason=f"{last.reason}; {more}")))
    return kept


def starts_paging(before: Finding | None, finding: Finding) -> bool:
    """Return whether a finding pages now that was over, frozen or less urgent before."""
    if finding.state is not FindingState.FIRING or finding.urgency is not Urgency.PAGE:
        return False
    return before is None or (before.state, before.urgency) != (finding.state, finding.urgency)


def about(finding: Finding) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return what a finding is about: a rule has one open finding in each place."""
    return finding.rule, frozenset(finding.scope.items())


def superseded(finding: Finding, incident: Incident) -> list[Finding]:
    """Return the older findings about the same, as ended when ``finding`` began."""
    return [
        ended(old, finding.started_ms)
        for old in incident.firing
        if old.id != finding.id and about(old) == about(finding)
    ]


def ended(finding: Finding, ended_ms: int) -> Finding:
    """Return a finding as it is when it ended at a time, epoch milliseconds."""
    return replace(finding, state=FindingState.RESOLVED, ended_ms=max(ended_ms, finding.started_ms))
