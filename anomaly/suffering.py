"""When users suffered, and where: what lasts meanwhile is not learned as normal.

An objective that burns, and a service that is red, say that the present is no state to get used to.
What is known of it is made of findings alone, so that a start that goes through the past knows the
same as whoever was there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anomaly.findings import Finding, FindingKind, FindingState
from collectors.model import Tags

MAX_PERIODS = 20_000
"""Periods of suffering that are remembered; of more the oldest that are over are forgotten."""

_SERVICE = "service.name"
_HEALTH = "health/"
_KEPT_MS = 4 * 86_400_000
_KNOWN_ANSWERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One time of suffering.

    Attributes:
        scope: Where.
        title: What says so.
        first_ms: Since when that is known.
        last_ms: Until when; None: it goes on.
    """

    scope: Tags
    title: str
    first_ms: int
    last_ms: int | None

    def at(self, time_ms: int) -> bool:
        """Return whether somebody suffered at a time."""
        return self.first_ms <= time_ms and (self.last_ms is None or time_ms < self.last_ms)

    def concerns(self, scope: Tags) -> bool:
        """Return whether what happens in a scope may be what is suffered from.

        It is about the same service, and contradicts in nothing that both say; where one of them
        names no service, they have a place in common.
        """
        both = [key for key in scope if key in self.scope]
        if not both or any(scope[key] != self.scope[key] for key in both):
            return False
        return _SERVICE in both or _SERVICE not in scope or _SERVICE not in self.scope


class Suffering:
    """Knows of all objectives and services."""

    def __init__(self) -> None:
        self._periods: dict[str, Period] = {}
        # All rules ask about the same steps: what they are answered until anything changes.
        self._edges: dict[tuple[int, int], Sequence[int]] = {}
        self._at: dict[int, Sequence[Period]] = {}
        self._latest_ms = 0

    def note(self, finding: Finding) -> None:
        """Take note of how a finding stands, if it tells of users who suffer."""
        burns = finding.kind is FindingKind.SLO_BURN
        if not burns and not finding.rule.startswith(_HEALTH):
            return
        self._latest_ms = max(self._latest_ms, finding.updated_ms)
        self._edges.clear()
        self._at.clear()
        over = finding.state is FindingState.RESOLVED
        last_ms = finding.ended_ms if over else None
        if last_ms is not None and last_ms <= finding.detected_ms:
            self._periods.pop(finding.id, None)
            return
        self._periods[finding.id] = Period(
            scope=finding.scope,
            title=finding.title,
            first_ms=finding.detected_ms,
            last_ms=last_ms,
        )
        if len(self._periods) > MAX_PERIODS:
            self._forget()

    def edges_ms(self, first_ms: int, last_ms: int) -> Sequence[int]:
        """Return when anything began or ended after ``first_ms`` and up to ``last_ms``."""
        asked = first_ms, last_ms
        if asked not in self._edges:
            if len(self._edges) >= _KNOWN_ANSWERS:
                self._edges.clear()
            self._edges[asked] = sorted(
                {
                    time_ms
                    for one in self._periods.values()
                    for time_ms in (one.first_ms, one.last_ms)
                    if time_ms is not None and first_ms < time_ms <= last_ms
                }
            )
        return self._edges[asked]

    def at(self, time_ms: int) -> Sequence[Period]:
        """Return what was suffered at a time."""
        if time_ms not in self._at:
            if len(self._at) >= _KNOWN_ANSWERS:
                self._at.clear()
            self._at[time_ms] = tuple(one for one in self._periods.values() if one.at(time_ms))
        return self._at[time_ms]

    def lasting_ms(self, scope: Tags) -> int:
        """Return for how long users have been suffering in a scope, by now; 0: they are not."""
        since = [
            one.first_ms
            for one in self._periods.values()
            if one.last_ms is None and may_concern(one, scope)
        ]
        return max(0, self._latest_ms - min(since)) if since else 0

    def _forget(self) -> None:
        oldest_ms = self._latest_ms - _KEPT_MS
        kept = {
            key: one
            for key, one in self._periods.items()
            if one.last_ms is None or one.last_ms > oldest_ms
        }
        self._periods = kept
        if len(kept) <= MAX_PERIODS:
            return
        over = [(one.last_ms, key) for key, one in self._periods.items() if one.last_ms is not None]
        open_ones = [(one.first_ms, key) for key, one in self._periods.items() if not one.last_ms]
        for _, key in [*sorted(over), *sorted(open_ones)][: MAX_PERIODS // 10]:
            del self._periods[key]


def may_concern(period: Period, scope: Tags) -> bool:
    """Return whether a period may concern some group within a scope, which may say too little."""
    return all(period.scope.get(key, value) == value for key, value in scope.items())


def first_that_concerns(periods: Iterable[Period], scope: Tags) -> Period | None:
    """Return the first period that concerns a scope."""
    return next((one for one in periods if one.concerns(scope)), None)
