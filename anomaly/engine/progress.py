"""How far rules are, told to whoever asks without waiting for those who judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from anomaly.engine.lateness import Lateness
from anomaly.engine.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one rule is.

    Attributes:
        kind: Its kind.
        done_ms: End of the newest step that it has judged.
        planned_ms: How old that may be by plan: its senders speak no sooner.
    """

    kind: str
    done_ms: int
    planned_ms: int


@dataclass(slots=True)
class Progress:
    """How far all rules are.

    Args:
        step_ms: Length of a step.
    """

    step_ms: int
    _rules: dict[str, Standing] = field(default_factory=dict)

    def note(self, watched: Iterable[Watched], lateness: Lateness) -> None:
        """Take note of how far rules are, and how long they wait for their senders by plan."""
        # Replaced, never written to: who reads holds no lock.
        self._rules = {
            one.rule.name: Standing(
                kind=one.rule.kind,
                done_ms=one.done_ms,
                planned_ms=self.step_ms + lateness.patience_ms([h.heard for h in one.heard()]),
            )
            for one in watched
        }

    def ages_ms(self, now_ms: int) -> dict[str, int]:
        """Return how old the newest judged step of each rule is, by name."""
        rules = self._rules
        return {name: now_ms - one.done_ms for name, one in rules.items() if one.done_ms}

    def overdue_ms(self, now_ms: int) -> dict[str, int]:
        """Return for how long each rule's next step is overdue, by name; 0 is as planned."""
        rules = self._rules
        return {
            name: max(0, now_ms - one.done_ms - one.planned_ms)
            for name, one in rules.items()
            if one.done_ms
        }

    def overdue_by_kind_ms(self, now_ms: int) -> dict[str, int]:
        """Return the longest of these by kind of rule."""
        rules, found = self._rules, dict[str, int]()
        for name, overdue in self.overdue_ms(now_ms).items():
            kind = rules[name].kind if name in rules else ""
            found[kind] = max(found.get(kind, 0), overdue)
        return found
