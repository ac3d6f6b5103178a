"""The base of everything that evaluates to lines."""

from __future__ import annotations

from collectors.model import Tags
from collectors.stacklang.expression import Expr, Rule
from collectors.stacklang.lines.line_set import LineSet
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.text.durations import Duration
from collectors.stacklang.text.faults import illegal_argument


class SeriesExpr(Expr):
    """An expression that evaluates to lines."""

    __slots__ = ()

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data that must be fetched, in order, possibly with repetitions."""
        raise NotImplementedError

    @property
    def is_grouped(self) -> bool:
        """Whether there is a line for each group rather than a single one."""
        raise NotImplementedError

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The keys by which the lines are grouped in the end."""
        raise NotImplementedError

    def group_by_key(self, tags: Tags) -> str | None:
        """Return a text that identifies the group to which a line with ``tags`` belongs."""
        raise NotImplementedError

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines of this expression over the window of ``scope``."""
        raise NotImplementedError

    def with_offset(self, offset: Duration) -> SeriesExpr:
        """Return this expression with all its data shifted by ``offset``."""

        def shift(node: Expr) -> Expr | None:
            if node is self or not isinstance(node, SeriesExpr):
                return None
            return node.with_offset(offset)

        return as_series(self.rewrite(shift))


class SourceExpr(SeriesExpr):
    """An expression that makes lines without data: constants, time, noise."""

    __slots__ = ()

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """Nothing to fetch."""
        return ()

    @property
    def is_grouped(self) -> bool:
        """Always a single line."""
        return False

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """No grouping."""
        return ()

    def group_by_key(self, tags: Tags) -> str | None:
        """Return None: there are no groups."""
        del tags
        return None

    def with_offset(self, offset: Duration) -> SeriesExpr:
        """Return this expression: there is nothing to shift."""
        del offset
        return self


class WrappingExpr(SeriesExpr):
    """An expression that changes the lines of another one and keeps their grouping."""

    __slots__ = ()

    expr: SeriesExpr

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of the inner expression."""
        return self.expr.data_exprs

    @property
    def is_grouped(self) -> bool:
        """Whether the inner expression is grouped."""
        return self.expr.is_grouped

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The grouping of the inner expression."""
        return self.expr.final_grouping

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the inner expression's group."""
        return self.expr.group_by_key(tags)


def rewrite_series(expr: SeriesExpr, rule: Rule) -> SeriesExpr:
    """Apply ``rule`` to the nodes of ``expr``."""
    return as_series(expr.rewrite(rule))


def as_series(expr: Expr) -> SeriesExpr:
    """Return ``expr``, which must evaluate to lines."""
    if not isinstance(expr, SeriesExpr):
        raise illegal_argument(f"not a time series expression: {expr}")
    return expr
