"""When people who were told must be rung again: as soon as what they believe is no longer true.

A thread's reply or an edited card rings nobody. Whoever was told "over", "SEV3" or "search only"
and whom that no longer describes gets a new message. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anomaly.findings import Finding, FindingState, Urgency
from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident


def ring_reason(before: Incident | None, after: Incident, events: Sequence[Event]) -> str:
    """Return why those who were told of an incident must be rung again, "" if they need not.

    Args:
        before: The incident before ``events``; None when they open it, which rings by itself.
        after: The incident now.
        events: What just happened, in order.
    """
    if before is None or not after.is_open:
        return ""
    reasons = [event.text for event in events if event.kind in _LOUD]
    raised = any(event.kind is EventKind.SEVERITY_SET for event in events)
    if raised and after.severity.rank < before.severity.rank:
        reasons.append(f"severity rose from {before.severity} to {after.severity}")
    given_up = [f for f in after.findings.values() if f.given_up and not _given_up(before, f)]
    reasons += [f"no longer watched, and not known to be over: {f.title}" for f in given_up]
    if not reasons or raised:
        changed = [f for i, f in after.findings.items() if before.findings.get(i) is not f]
        new = elsewhere(before.findings.values(), changed)
        reasons += [f"also: {finding.title}" for finding in new]
    reasons += [event.text for event in events if event.data.get("loud") is True]
    return "; ".join(reasons)


_LOUD = frozenset({EventKind.REOPENED, EventKind.RUNG_AGAIN})


def elsewhere(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """Return what pages after, and which nothing that people were told of before tells of.

    What was told of a service holds for each of its operations, not the other way round. A finding
    without a scope tells of itself alone: no scope is not a match.
    """
    believed = [
        f for f in before if f.urgency is Urgency.PAGE and f.state is not FindingState.RESOLVED
    ]
    return [
        f
        for f in after
        if f.urgency is Urgency.PAGE
        and f.state is FindingState.FIRING
        and not any(_tells(known, f) for known in believed)
    ]


def _tells(known: Finding, finding: Finding) -> bool:
    if known.id == finding.id or (known.rule, known.scope) == (finding.rule, finding.scope):
        return True
    return bool(known.scope) and known.scope.items() <= finding.scope.items()


def _given_up(before: Incident, finding: Finding) -> bool:
    known = before.findings.get(finding.id)
    return known is not None and known.given_up
