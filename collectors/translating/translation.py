"""What a translation is, and what it may not be."""

from __future__ import annotations

from dataclasses import dataclass, field

from collectors.errors import QueryError

COUNTER_ENDINGS = ("_total", "_sum", "_count", "_bucket")


class UntranslatableError(QueryError):
    """The other language has no such expression; the message says what, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """An expression in the other language.

    Attributes:
        text: The expression.
        approximations: What may be another number, and where; none: the numbers are the same, as
            long as every series has a sample in each step.
    """

    text: str
    approximations: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Notes:
    """What is known of metrics, and what is found out while translating.

    Attributes:
        step_ms: Step of the stack language.
        counters: Metrics that are counters, besides those whose names say so.
        gauges: Metrics that are none, whatever their names say.
        approximations: What was found to be not quite the same.
    """

    step_ms: int
    counters: frozenset[str] = frozenset()
    gauges: frozenset[str] = frozenset()
    approximations: dict[str, None] = field(default_factory=dict)

    def is_counter(self, name: str) -> bool:
        """Whether a metric is kept as a rate."""
        if name in self.gauges:
            return False
        return name in self.counters or name.endswith(COUNTER_ENDINGS)

    def approximate(self, what: str) -> None:
        """Note an approximation, once."""
        self.approximations[what] = None
