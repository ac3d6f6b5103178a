"""What a silence would hide: findings that fire now, and those of the last day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomaly.findings import Finding
from runbooks.alerts.labels import is_own, labels_of
from runbooks.alerts.matchers import Matcher, matches_all
from runbooks.alerts.silence import names_own

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What matches.

    Attributes:
        firing: Findings that fire now, in their order.
        last_day: Others of the last day, the newest first.
        own_not_hidden: How many about tocsin itself would match and ring all the same.
    """

    firing: tuple[Finding, ...]
    last_day: tuple[Finding, ...]
    own_not_hidden: int


def preview(
    matchers: Sequence[Matcher], firing: Iterable[Finding], lately: Iterable[Finding]
) -> Preview:
    """Return what matchers would hide.

    Args:
        matchers: Of the silence.
        firing: What fires now.
        lately: What was decided about in the last day, the newest first.
    """
    now = {f.id: f for f in firing if matches_all(matchers, labels_of(f))}
    before: dict[str, Finding] = {}
    for finding in lately:
        known = finding.id in now or finding.id in before
        if not known and matches_all(matchers, labels_of(finding)):
            before[finding.id] = finding
    spared = 0 if names_own(matchers) else sum(is_own(f) for f in now.values())
    hidden = [f for f in now.values() if names_own(matchers) or not is_own(f)]
    return Preview(firing=tuple(hidden), last_day=tuple(before.values()), own_not_hidden=spared)
