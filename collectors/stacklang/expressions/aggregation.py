"""Aggregating lines that are there already: math ``:sum`` and friends, and a second ``:by``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from collectors.model import Tags
from collectors.stacklang.expression import Raw
from collectors.stacklang.expressions.data import GroupedData
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.lines.line_set import (
    LineSet,
    key_string,
    no_data,
    no_lines,
    single_line,
    tag_label,
)
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.numeric.elementwise import aggregate_all, aggregate_groups
from collectors.stacklang.predicates.analysis import exact_keys, exact_tags
from collectors.stacklang.text.faults import require


@dataclass(frozen=True, slots=True)
class LineAggregate(SeriesExpr):
    """All lines of an expression made into one."""

    function: Aggregate
    expr: SeriesExpr

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of the inner expression."""
        return self.expr.data_exprs

    @property
    def is_grouped(self) -> bool:
        """A single line."""
        return False

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """No grouping is left."""
        return ()

    def group_by_key(self, tags: Tags) -> str | None:
        """Return None: there are no groups."""
        del tags
        return None

    def parts(self) -> Iterable[object]:
        """Return the inner expression and the word."""
        return (self.expr, Raw(f":{self.function}"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return one line; NO DATA if there is nothing to aggregate."""
        # A million groups that are only counted need neither labels nor their order. A sum has
        # lines in their order, so that it is the same to the last digit wherever it is made.
        if isinstance(self.expr, GroupedData) and self.function is not Aggregate.SUM:
            lines, own = self.expr.unlabelled(scope), exact_tags(self.expr.query)
        else:
            lines, own = self.expr.evaluate(scope), {}
        if not len(lines):
            return no_data(scope.steps)
        tags = self._common_tags({**lines.tags[0], **own})
        label = f"{self.function}({tag_label(tags)})"
        return single_line(tags, label, aggregate_all(self.function, lines.values))

    def _common_tags(self, tags: Tags) -> Tags:
        data = self.expr.data_exprs
        if not data:
            return tags
        keys = exact_keys(data[0].query)
        return {key: value for key, value in tags.items() if key in keys}


@dataclass(frozen=True, slots=True)
class GroupedLines(SeriesExpr):
    """Lines that are grouped already, aggregated by fewer keys.

    Raises:
        QueryError: The input is not grouped, or not by all of ``keys``.
    """

    source: LineAggregate
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        inner = self.source.expr
        require(inner.is_grouped, "input expression must already be grouped with DataExpr.GroupBy")
        before = inner.final_grouping
        require(
            set(self.keys) <= set(before),
            f"(,{','.join(self.keys)},) is not a subset of (,{','.join(before)},)",
        )

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The data of the inner expression."""
        return self.source.data_exprs

    @property
    def is_grouped(self) -> bool:
        """A line for each group."""
        return True

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The keys."""
        return self.keys

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group's label."""
        return key_string(self.keys, tags)

    def parts(self) -> Iterable[object]:
        """Return the aggregate, the keys and the word."""
        return (self.source, self.keys, Raw(":by"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return a line for each group, in the order of their labels."""
        lines = self.source.expr.evaluate(scope)
        groups: dict[str, list[int]] = {}
        for row, tags in enumerate(lines.tags):
            key = key_string(self.keys, tags)
            if key is not None:
                groups.setdefault(key, []).append(row)
        if not groups:
            return no_lines(scope.steps)
        labels = sorted(groups)
        rows = [row for label in labels for row in groups[label]]
        starts = np.cumsum([0, *(len(groups[label]) for label in labels[:-1])]).astype(np.intp)
        kept = self._common_keys() | set(self.keys)
        tags_kept = [
            {key: value for key, value in lines.tags[groups[label][0]].items() if key in kept}
            for label in labels
        ]
        values = aggregate_groups(self.source.function, lines.values[rows], starts)
        return LineSet(tags=tags_kept, labels=labels, values=values)

    def _common_keys(self) -> frozenset[str]:
        keys = [exact_keys(data.query) for data in self.source.data_exprs]
        return reduce(frozenset.intersection, keys) if keys else frozenset()
