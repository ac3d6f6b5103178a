"""Arithmetic, comparison and logic over lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, Tags
from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.series import SeriesExpr, SourceExpr, WrappingExpr
from collectors.stacklang.lines.line_set import (
    LineSet,
    counted_labels,
    key_string,
    no_lines,
    tag_label,
)
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.numeric.elementwise import apply_binary, apply_unary
from collectors.stacklang.text.faults import illegal_argument, illegal_state
from collectors.stacklang.text.literals import format_double

_MANY = -2


@dataclass(frozen=True, slots=True)
class Constant(SourceExpr):
    """A line with the same value everywhere (``:const``, or any number)."""

    value: float

    def __eq__(self, other: object) -> bool:
        # NaN equals NaN here: two programs that say NaN are the same program.
        return isinstance(other, Constant) and repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        return hash(("Constant", repr(self.value)))

    def parts(self) -> Iterable[object]:
        """Return value and word."""
        return (self.value, Raw(":const"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the line."""
        labels, tags = scope.layouts.get(self, (), self._layout)
        return LineSet(tags=tags, labels=labels, values=np.full((1, scope.steps), self.value))

    def _layout(self) -> tuple[list[str], list[Tags]]:
        name = format_double(self.value)
        return [name], [{"name": name}]


@dataclass(frozen=True, slots=True)
class UnaryExpr(WrappingExpr):
    """A function of each value: ``:abs``, ``:neg``, ``:sin``, ``:sqrt``."""

    name: str
    expr: SeriesExpr

    def parts(self) -> Iterable[object]:
        """Return the inner expression and the word."""
        return (self.expr, Raw(f":{self.name}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the inner lines with the function applied."""
        lines = self.expr.evaluate(scope)
        return _with_values(self, scope, lines, apply_unary(self.name, lines.values))


@dataclass(frozen=True, slots=True)
class PerStep(WrappingExpr):
    """A rate per second turned into an amount per step (``:per-step``)."""

    expr: SeriesExpr

    def parts(self) -> Iterable[object]:
        """Return the inner expression and the word."""
        return (self.expr, Raw(":per-step"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the inner lines times the step in seconds."""
        lines = self.expr.evaluate(scope)
        return _with_values(self, scope, lines, lines.values * (scope.window.step_ms / 1000))


@dataclass(frozen=True, slots=True)
class Clamp(WrappingExpr):
    """Values kept at or above (``clamp-min``) or at or below (``clamp-max``) a bound."""

    name: str
    expr: SeriesExpr
    bound: float

    def parts(self) -> Iterable[object]:
        """Return the inner expression, the bound and the word."""
        return (self.expr, self.bound, Raw(f":{self.name}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the inner lines, clamped; missing values stay missing."""
        lines = self.expr.evaluate(scope)
        outside = (
            lines.values < self.bound if self.name == "clamp-min" else lines.values > self.bound
        )
        return _with_values(self, scope, lines, np.where(outside, self.bound, lines.values))


@dataclass(frozen=True, slots=True)
class Renamed(SeriesExpr):
    """A tag key under another name (``:as``)."""

    expr: SeriesExpr
    original: str
    replacement: str

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
        """The inner grouping with the key renamed."""
        return tuple(
            self.replacement if key == self.original else key for key in self.expr.final_grouping
        )

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group's label under the new name."""
        return key_string(self.final_grouping, tags)

    def parts(self) -> Iterable[object]:
        """Return the inner expression, both names and the word."""
        return (self.expr, self.original, self.replacement, Raw(":as"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the inner lines with the tag renamed."""
        lines = self.expr.evaluate(scope)
        tags = scope.layouts.get(
            self, (lines.tags,), lambda: [self._rename(entry) for entry in lines.tags]
        )
        return LineSet(tags=tags, labels=lines.labels, values=lines.values)

    def _rename(self, tags: Tags) -> Tags:
        if self.original not in tags:
            return tags
        renamed = {key: value for key, value in tags.items() if key != self.original}
        renamed[self.replacement] = tags[self.original]
        return renamed


@dataclass(frozen=True, slots=True)
class BinaryExpr(SeriesExpr):
    """Two expressions combined line by line.

    The grouping keys of one side must be a subset of the other's. The side with more keys decides
    which lines there are; each is combined with the one line of the other side that has the same
    values for the common keys, and left out if there is none.

    Raises:
        QueryError: Neither side's keys are a subset of the other's.
    """

    name: str
    left: SeriesExpr
    right: SeriesExpr

    def __post_init__(self) -> None:
        left, right = self.left.final_grouping, self.right.final_grouping
        if not (self.left.is_grouped and self.right.is_grouped):
            return
        if not (set(left) <= set(right) or set(right) <= set(left)):
            raise illegal_argument(
                "both sides of binary operation must have the same grouping or one side must be "
                f"a subset of the other [(,{','.join(left)},) ⊈ (,{','.join(right)},)]"
            )

    @property
    def _left_leads(self) -> bool:
        return set(self.right.final_grouping) <= set(self.left.final_grouping)

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of both sides."""
        return self.left.data_exprs + self.right.data_exprs

    @property
    def is_grouped(self) -> bool:
        """Whether either side is grouped."""
        return self.left.is_grouped or self.right.is_grouped

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The grouping of the side with more keys; each side is asked once, as chains are deep."""
        left, right = self.left.final_grouping, self.right.final_grouping
        return left if set(right) <= set(left) else right

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group on the side with more keys."""
        side = self.left if self._left_leads else self.right
        return side.group_by_key(tags)

    def parts(self) -> Iterable[object]:
        """Return both sides and the word."""
        return (self.left, self.right, Raw(f":{self.name}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the combined lines, with the tags of the side that leads."""
        left, right = self.left.evaluate(scope), self.right.evaluate(scope)
        joined = scope.layouts.get(
            self, (left.tags, right.tags), lambda: self._join(left.tags, right.tags)
        )
        if not len(joined.tags):
            return no_lines(scope.steps)
        pair = _rows(left.values, joined.left), _rows(right.values, joined.right)
        return LineSet(
            tags=joined.tags, labels=joined.labels, values=apply_binary(self.name, *pair)
        )

    def _join(self, left: Sequence[Tags], right: Sequence[Tags]) -> _Joined:
        if self._left_leads:
            kept, partners = _partners(left, right, self.right.group_by_key)
            tags = [left[row] for row in kept]
            rows = _places(kept, len(left)), _places(partners, len(right))
        else:
            kept, partners = _partners(right, left, self.left.group_by_key)
            tags = [right[row] for row in kept]
            rows = _places(partners, len(left)), _places(kept, len(right))
        labels = counted_labels(tag_label(entry) for entry in tags)
        return _Joined(tags=tags, labels=labels, left=rows[0], right=rows[1])


_Places = NDArray[np.intp] | None
"""Rows of a side; None for all of them as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """Which rows of both sides make a line."""

    tags: Sequence[Tags]
    labels: Sequence[str]
    left: _Places
    right: _Places


def _partners(
    lead: Sequence[Tags], other: Sequence[Tags], key_of: Callable[[Tags], str | None]
) -> tuple[list[int], list[int]]:
    """Return the rows of ``lead`` that have a partner, and the partners' rows in ``other``."""
    rows: dict[str | None, int] = {}
    for row, tags in enumerate(other):
        key = key_of(tags)
        rows[key] = _MANY if key in rows else row
    kept: list[int] = []
    partners: list[int] = []
    for row, tags in enumerate(lead):
        partner = rows.get(key_of(tags))
        if partner is None:
            continue
        if partner == _MANY:
            raise illegal_state("too many values for key")
        kept.append(row)
        partners.append(partner)
    return kept, partners


def _places(rows: list[int], count: int) -> _Places:
    return None if rows == list(range(count)) else np.array(rows, dtype=np.intp)


def _rows(values: FloatArray, places: _Places) -> FloatArray:
    return values if places is None else values[places]


def _with_values(owner: SeriesExpr, scope: Scope, lines: LineSet, values: FloatArray) -> LineSet:
    labels = scope.layouts.get(
        owner, (lines.tags,), lambda: counted_labels(map(tag_label, lines.tags))
    )
    return LineSet(tags=lines.tags, labels=labels, values=values)
