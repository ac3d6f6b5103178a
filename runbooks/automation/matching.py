"""Which runbook fits an incident best, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from anomaly.evidence.near_changes import distance
from anomaly.findings import Finding, FindingKind
from runbooks.automation.runbook import Matcher, Runbook
from runbooks.incidents.live import is_of, suspect_change
from tocsin.client.wording import percent

_SUSPECTED = 10
_KINDS = {
    FindingKind.SLO_BURN: "an error budget burns",
    FindingKind.ANOMALY: "something is not as it was",
    FindingKind.NO_DATA: "data are missing",
    FindingKind.OWN_FAULT: "tocsin itself is at fault",
    FindingKind.ALERT: "another program told it",
    FindingKind.RULE: "a rule of Prometheus fires",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A runbook, how well it fits, and which conditions of its matcher held.

    ``score`` counts them; that a change is suspect weighs more than all others together.
    """

    runbook: Runbook
    score: int
    why: str


def propose(library: Sequence[Runbook], findings: Iterable[Finding]) -> Proposal | None:
    """Return the runbook whose most specific matcher holds.

    Of several that fit alike an operator's own, then the first in the library.

    Args:
        library: Runbooks there are.
        findings: The one that leads first: of two fits alike its is taken.
    """
    best: Proposal | None = None
    for finding in findings:
        for runbook in library:
            for matcher in runbook.applies_to:
                reasons = held(matcher, finding)
                score = len(reasons) + (_SUSPECTED if matcher.change else 0)
                if reasons and (best is None or _better(runbook, score, best)):
                    # Its title counts on while it burns: what it is about stays true.
                    why = f"{', '.join(reasons)}: “{finding.subject or finding.title}”"
                    best = Proposal(runbook=runbook, score=score, why=why)
    return best


def _better(runbook: Runbook, score: int, best: Proposal) -> bool:
    """Say whether a fit beats the best so far: of two alike an operator's own does."""
    if score == best.score:
        return best.runbook.is_built_in and not runbook.is_built_in
    return score > best.score


def held(matcher: Matcher, finding: Finding) -> list[str]:
    """Return which conditions of ``matcher`` hold, in words; none at all if one doesn't."""
    reasons: list[str] = []
    for condition in (_rule, _kind, _scope, _words, _loss, _change):
        held_here = condition(matcher, finding)
        if held_here is None:
            return []
        reasons += held_here
    return reasons


# Each condition returns the reasons it adds, none if the matcher doesn't ask, None if it fails.


def _rule(matcher: Matcher, finding: Finding) -> list[str] | None:
    if not matcher.rule:
        return []
    return ["it is written for this rule"] if fnmatchcase(finding.rule, matcher.rule) else None


def _kind(matcher: Matcher, finding: Finding) -> list[str] | None:
    if not matcher.kinds:
        return []
    return [_KINDS[finding.kind]] if finding.kind in matcher.kinds else None


def _scope(matcher: Matcher, finding: Finding) -> list[str] | None:
    for key, pattern in matcher.scope:
        if key not in finding.scope or not fnmatchcase(finding.scope[key], pattern):
            return None
    return [f"{key} is {finding.scope[key]}" for key, _ in matcher.scope]


def _words(matcher: Matcher, finding: Finding) -> list[str] | None:
    if not matcher.words:
        return []
    text = f"{finding.title} {finding.expression}".lower()
    word = next((w for w in matcher.words if w.lower() in text), None)
    return None if word is None else [f"it is about “{word}”"]


def _loss(matcher: Matcher, finding: Finding) -> list[str] | None:
    if not matcher.lost_share:
        return []
    if finding.baseline is None or not finding.baseline > 0:
        return None
    lost = 1 - finding.observed / finding.baseline
    return [f"a loss of {percent(lost)}"] if lost >= matcher.lost_share else None


def _change(matcher: Matcher, finding: Finding) -> list[str] | None:
    if not matcher.change:
        return []
    change = suspect_change(finding)
    if change is None or not is_of(change, matcher.change):
        return None
    return [f"“{change.summary}”, {distance(change.time_ms, finding.started_ms)}"]
