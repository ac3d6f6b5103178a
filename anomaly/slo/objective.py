"""An objective that can be run: expressions, target, period, guards."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from anomaly.evidence.exemplars import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What must be so before a burn rate may wake somebody.

    Attributes:
        min_bad_events: Bad events in the long window; one failure at night is not an outage.
        min_coverage: Measured share of the long window, 0 to 1. By default none: a window that is
            measured in part may speak if its events leave no doubt.
        min_events: Events seen since the start of the objective's data (warm-up).
    """

    min_bad_events: float = 5.0
    min_coverage: float = 0.0
    min_events: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One target over one pair of counts.

    Attributes:
        name: Unique name (the SLO's, with a number when it has several objectives).
        display_name: For people.
        service: What it is about.
        description: From the document.
        target: Share of good events that is promised; exact.
        period_s: Length of the rolling window, seconds.
        good_expr: Expression of good events per second; None when ``bad_expr`` is given.
        bad_expr: Expression of bad events per second; None when ``good_expr`` is given.
        total_expr: Expression of all events per second.
        group_by: Keys of which each combination of values has its own budget.
        guards: Minimum volume and coverage.
        evidence: Which traces to attach.
        source: ``file:line`` of the document.
        remarks: What the document says that has no effect here; shown with the state.
    """

    name: str
    display_name: str
    service: str
    description: str
    target: Fraction
    period_s: int
    good_expr: str | None
    bad_expr: str | None
    total_expr: str
    group_by: tuple[str, ...]
    guards: Guards
    evidence: Evidence
    source: str
    remarks: tuple[str, ...] = ()

    @property
    def budget(self) -> Fraction:
        """Share of events that may be bad."""
        return 1 - self.target

    @property
    def part_expr(self) -> str:
        """The expression of the good or bad events, whichever is given."""
        return self.good_expr or self.bad_expr or ""

    @property
    def bad_ratio_expr(self) -> str:
        """Expression of the share of bad events, the quantity that burns the budget."""
        if self.bad_expr is not None:
            return f"{self.bad_expr},{self.total_expr},:div"
        return f"1,{self.good_expr},{self.total_expr},:div,:sub"
