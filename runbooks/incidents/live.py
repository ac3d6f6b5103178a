"""Which findings speak for an incident now, and which change is suspect. Pure.

What fires speaks; what is over is silent as long as anything fires: it may have been something
else, elsewhere. Once all is over, all of it tells what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from anomaly.evidence.near_changes import LOOK_BACK_ALONE_MS, NO_PROOF
from anomaly.findings import Finding, FindingKind, FindingState, NearChange, Relation, Urgency

DEPLOYMENTS = ("deploy*", "release*", "rollout*")
"""Kinds of changes that put another version in place."""

_HERE = frozenset({Relation.SAME_SERVICE, Relation.SUSPECT, Relation.SAME_REGION})
_STATES = {state: rank for rank, state in enumerate((FindingState.FIRING, FindingState.FROZEN))}
_URGENCIES = {urgency: rank for rank, urgency in enumerate(Urgency)}


def speaking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that speak, the one that leads first.

    What fires comes before what is frozen, a page before a ticket, what users feel (an objective)
    before what a machine does, what has a suspect change or service before what has none, and the
    older before the newer.
    """
    known = tuple(findings)
    live = [finding for finding in known if finding.state is not FindingState.RESOLVED]
    return tuple(sorted(live or known, key=_rank))


def standing(finding: Finding) -> tuple[int, int, int]:
    """Return how loudly a finding speaks; less is louder. Of two alike the first stays the lead."""
    return (
        _STATES.get(finding.state, len(_STATES)),
        _URGENCIES[finding.urgency],
        0 if finding.kind is FindingKind.SLO_BURN else 1,
    )


def suspect_change(finding: Finding) -> NearChange | None:
    """Return the nearest change that may have made ``finding``, None if none is suspect.

    Suspect is what its diff accuses; else what was changed here within ten minutes, unless the
    calls accuse other services than the one that was changed.
    """
    accused = {one.service for one in finding.suspects if one.against != (NO_PROOF,)}
    for change in finding.changes:
        elsewhere = accused and change.service and change.service not in accused
        near = change.relation in _HERE and change.before_ms <= LOOK_BACK_ALONE_MS
        if change.why or (near and not elsewhere):
            return change
    return None


def is_of(change: NearChange, kinds: Iterable[str]) -> bool:
    """Say whether the kind of ``change`` fits one of the patterns."""
    return any(fnmatchcase(change.kind.lower(), kind) for kind in kinds)


def _rank(finding: Finding) -> tuple[tuple[int, int, int], int, int, int, str]:
    change = 0 if suspect_change(finding) else 1
    suspects = 0 if finding.suspects else 1
    return standing(finding), change, suspects, finding.started_ms, finding.id
