"""Named rewrites: words that stand for others, shown by their own name.

``:avg`` is evaluated as ``:sum`` over ``:count``, but a person who wrote ``:avg`` wants to see
``:avg`` when the expression is shown again. So both are kept: what is displayed, and what is
evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from collectors.model import Tags
from collectors.stacklang.expression import Expr, Raw, Rule, render_items
from collectors.stacklang.expressions.aggregation import GroupedLines, LineAggregate
from collectors.stacklang.expressions.data import AggregateExpr, GroupedData
from collectors.stacklang.expressions.series import SeriesExpr, rewrite_series
from collectors.stacklang.lines.line_set import LineSet
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.predicates.predicate import Predicate
from collectors.stacklang.text.durations import ZERO, Duration
from collectors.stacklang.text.faults import illegal_state

Reparse = Callable[[str], list[object]]
"""Runs a program, unstable words included, and returns the stack it leaves."""

Regroup = Callable[[Expr, tuple[str, ...]], SeriesExpr]
"""Makes the evaluated expression for a displayed one and the keys to group it by."""


@dataclass(frozen=True, slots=True)
class NamedRewrite(SeriesExpr):
    """An expression that is displayed as a word applied to another expression.

    ``regroup`` says how grouping changes what is evaluated, where that is not simply a group-by on
    every aggregate. ``reparse`` builds the rewrite again when the displayed part is rewritten.
    """

    name: str
    display: Expr
    display_params: tuple[object, ...]
    evaluated: SeriesExpr
    reparse: Reparse = field(compare=False, repr=False)
    regroup: Regroup | None = field(default=None, compare=False, repr=False)

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of the evaluated expression."""
        return self.evaluated.data_exprs

    @property
    def is_grouped(self) -> bool:
        """Whether the evaluated expression is grouped."""
        return self.evaluated.is_grouped

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The grouping of the evaluated expression."""
        return self.evaluated.final_grouping

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group in the evaluated expression."""
        return self.evaluated.group_by_key(tags)

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines of the evaluated expression."""
        return self.evaluated.evaluate(scope)

    def with_offset(self, offset: Duration) -> NamedRewrite:
        """Return this rewrite with the evaluated data shifted."""
        return replace(self, evaluated=self.evaluated.with_offset(offset))

    def parts(self) -> Iterable[object]:
        """Return what is displayed."""
        return self._parts_for(self.display)

    def _parts_for(self, display: Expr) -> tuple[object, ...]:
        word = (*self.display_params, Raw(f":{self.name}"))
        grouping = self.evaluated.final_grouping
        shift = _common_offset(self.evaluated)
        if isinstance(display, Predicate):
            # The word takes the place of an aggregate: offset and grouping come after it.
            tail: list[object] = [shift, Raw(":offset")] if shift else []
            if grouping:
                tail += [grouping, Raw(":by")]
            return (display, *word, *tail)
        shown = self.display.final_grouping if isinstance(self.display, SeriesExpr) else None
        if isinstance(display, SeriesExpr) and shift and shift != (_common_offset(display) or ZERO):
            display = display.with_offset(shift)
        if grouping and shown != grouping:
            return (display, *word, grouping, Raw(":by"))
        return (display, *word)

    def rewrite(self, rule: Rule) -> Expr:
        """Apply ``rule`` to this node, or to what is displayed, and build the rest from that."""
        replacement = rule(self)
        if replacement is not None:
            return replacement
        display = self.display.rewrite(rule)
        match self.reparse(render_items(self._parts_for(display))):
            case [NamedRewrite() as rebuilt]:
                return rebuilt
            case _:
                raise illegal_state(f"invalid stack for :{self.name}")

    def group_by(self, keys: tuple[str, ...]) -> NamedRewrite:
        """Return this rewrite with its aggregates grouped by ``keys``."""

        def group(node: Expr) -> Expr | None:
            if isinstance(node, AggregateExpr):
                return GroupedData(node, keys)
            if isinstance(node, LineAggregate):
                return GroupedLines(node, keys)
            return None

        grouped = isinstance(self.display, SeriesExpr) and self.display.is_grouped
        display = self.display if grouped else self.display.rewrite(group)
        if self.regroup is None:
            evaluated = rewrite_series(self.evaluated, group)
        else:
            evaluated = self.regroup(self.display, keys)
        shift = _common_offset(self.evaluated)
        shifted = evaluated.with_offset(shift) if shift else evaluated
        return replace(self, display=display, evaluated=shifted)


def _common_offset(expr: SeriesExpr) -> Duration | None:
    offsets = {data.offset for data in expr.data_exprs}
    return offsets.pop() if len(offsets) == 1 else None


def expand_rewrites(expr: Expr) -> Expr:
    """Return ``expr`` with every named rewrite replaced by what it evaluates."""

    def expand(node: Expr) -> Expr | None:
        return expand_rewrites(node.evaluated) if isinstance(node, NamedRewrite) else None

    return expr.rewrite(expand)
