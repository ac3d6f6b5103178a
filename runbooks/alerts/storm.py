"""When findings come in such numbers that each can't be an incident of its own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from anomaly.findings import Finding, FindingState


@dataclass(frozen=True, slots=True, kw_only=True)
class StormRules:
    """From when on it is a storm.

    Attributes:
        places: A rule that fires in so many places at once fails as one: its findings belong
            together, whatever else does not tell them to.
        opens: So many incidents may open at once; one more each ``open_every_ms``, as fast as a
            Slack channel takes messages. What opens beyond them is gathered in one incident.
        open_every_ms: See ``opens``, milliseconds.
    """

    places: int = 10
    opens: int = 30
    open_every_ms: int = 1_000


class RulePlaces:
    """In how many places each rule fires."""

    def __init__(self) -> None:
        self._firing: dict[str, set[str]] = {}

    def note(self, finding: Finding) -> None:
        """Take note of a finding that is new or has changed."""
        ids = self._firing.setdefault(finding.rule, set())
        if finding.state is FindingState.RESOLVED:
            ids.discard(finding.id)
        else:
            ids.add(finding.id)
        if not ids:
            del self._firing[finding.rule]

    def count(self, rule: str) -> int:
        """Return in how many places ``rule`` fires now."""
        return len(self._firing.get(rule, ()))


class Allowance:
    """How many incidents may still open.

    >>> allowance = Allowance(StormRules(opens=1, open_every_ms=1_000))
    >>> allowance.take(0), allowance.take(1), allowance.take(1_000)
    (True, False, True)
    """

    def __init__(self, rules: StormRules) -> None:
        self._rules = rules
        self._left = float(rules.opens)
        self._seen_ms: int | None = None

    def take(self, now_ms: int) -> bool:
        """Return whether one more may open now, and count it."""
        passed_ms = 0 if self._seen_ms is None else max(0, now_ms - self._seen_ms)
        gained = passed_ms / self._rules.open_every_ms
        self._left = min(float(self._rules.opens), self._left + gained)
        self._seen_ms = now_ms
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
