"""Which runbook fits an incident best, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from anomaly.findings import Finding
from runbooks.automation.runbook import Matcher, Runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A runbook, how many conditions of its matcher held, and which they were."""

    runbook: Runbook
    score: int
    why: str


def propose(library: Sequence[Runbook], findings: Iterable[Finding]) -> Proposal | None:
    """Return the runbook whose most specific matcher holds; the first in the library wins a tie."""
    best: Proposal | None = None
    for finding in findings:
        for runbook in library:
            for matcher in runbook.applies_to:
                reasons = held(matcher, finding)
                if reasons and (best is None or len(reasons) > best.score):
                    why = f"{', '.join(reasons)} of “{finding.title}”"
                    best = Proposal(runbook=runbook, score=len(reasons), why=why)
    return best


def held(matcher: Matcher, finding: Finding) -> list[str]:
    """Return which conditions of ``matcher`` hold, in words; none at all if one doesn't."""
    reasons: list[str] = []
    if matcher.rule:
        if not fnmatchcase(finding.rule, matcher.rule):
            return []
        reasons.append(f"rule {finding.rule}")
    if matcher.kinds:
        if finding.kind not in matcher.kinds:
            return []
        reasons.append(f"kind {finding.kind}")
    for key, pattern in matcher.scope:
        value = finding.scope.get(key)
        if value is None or not fnmatchcase(value, pattern):
            return []
        reasons.append(f"{key} {value}")
    if matcher.words:
        text = f"{finding.title} {finding.expression}".lower()
        word = next((w for w in matcher.words if w.lower() in text), None)
        if word is None:
            return []
        reasons.append(f"the word {word!r}")
    return reasons
