"""An objective that can be run: expressions, target, period, guards."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from anomaly.evidence.exemplars import Evidence
from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.counting import Comparison, Counting, Measure
from anomaly.slo.policy import Policy
from anomaly.slo.ratio import bad_ratio, good_of_all
from anomaly.slo.slices import SliceRule


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
        period_s: Length of the budget's window, seconds; nominal for one of the calendar.
        good_expr: Expression of good events; None when ``bad_expr`` is given, or for a value.
        bad_expr: Expression of bad events; None when ``good_expr`` is given, or for a value.
        total_expr: Expression of all events, or of the value.
        group_by: Keys of which each combination of values has its own budget.
        guards: Minimum volume and coverage.
        evidence: Which traces to attach.
        source: ``file:line`` of the document.
        remarks: What the document says that has no effect here; shown with the state.
        measure: What the expressions give: events, or a value.
        counter: Whether events are given per second, else they are those of the step.
        comparison: When a value that is compared is good.
        slices: How time is cut where slices of it are counted; None: every event counts.
        calendar: When the windows of the budget begin; None: the window rolls.
        wakes: Whether fast burning pages; else all of it are tickets.
        policies: When it alerts by its document's own word; none: by pairs of windows.
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
    measure: Measure = Measure.EVENTS
    counter: bool = True
    comparison: Comparison | None = None
    slices: SliceRule | None = None
    calendar: CalendarWindow | None = None
    wakes: bool = True
    policies: tuple[Policy, ...] = ()

    @property
    def budget(self) -> Fraction:
        """Share of events that may be bad."""
        return 1 - self.target

    @property
    def part_expr(self) -> str:
        """The expression of the good or bad events, whichever is given; "" for a value."""
        return self.good_expr or self.bad_expr or ""

    @property
    def counted(self) -> str:
        """What the budget is made of, in the plural."""
        if self.slices is not None:
            return "slices of time"
        return "events" if self.measure is Measure.EVENTS else "steps"

    @property
    def method(self) -> str:
        """OpenSLO's name of how the budget is counted."""
        if self.slices is None:
            return "Occurrences"
        return "RatioTimeslices" if self.slices.allowed_bad is None else "Timeslices"

    def counting(self, step_ms: int) -> Counting:
        """Return how the values of a step become events."""
        return Counting(
            measure=self.measure,
            counts_bad=self.bad_expr is not None,
            factor=step_ms / 1_000 if self.counter else 1.0,
            comparison=self.comparison,
        )

    @property
    def bad_ratio_expr(self) -> str:
        """Expression of the share of bad events, the quantity that burns the budget."""
        return bad_ratio(
            self.measure, self.good_expr, self.bad_expr, self.total_expr, self.comparison
        )

    @property
    def good_ratio_exprs(self) -> tuple[str, str]:
        """Expressions of what is good and of all of it, of which the first is a share."""
        return good_of_all(
            self.measure, self.good_expr, self.bad_expr, self.total_expr, self.comparison
        )
