"""Percentiles from bucket counts, and distinct counts from sketches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.budget import spend
from collectors.model import FloatArray, IntArray, Tags
from collectors.stacklang.expression import Expr, Raw
from collectors.stacklang.expressions.data import AggregateExpr, GroupedData
from collectors.stacklang.expressions.series import SeriesExpr, rewrite_series
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.lines.line_set import (
    LineSet,
    counted_labels,
    key_string,
    no_data,
    tag_label,
)
from collectors.stacklang.lines.requests import DataRequest
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.numeric.distinct_sketch import estimate_distinct
from collectors.stacklang.numeric.percentiles import COUNT, estimate_percentiles
from collectors.stacklang.text.faults import require
from collectors.stacklang.text.literals import format_double

PERCENTILE = "percentile"
DISTINCT = "distinct"
_TIMER_SCALE = 1e-9
# What the tags of one line take.
_LINE_BYTES = 400
_REGISTERS = 64


@dataclass(frozen=True, slots=True)
class Percentiles(SeriesExpr):
    """Estimated percentiles, a line each (``:percentiles``).

    ``source`` is grouped by ``percentile``, whose values name the buckets.

    Raises:
        QueryError: Not grouped so, or a percentile is not between 0 and 100.
    """

    source: GroupedData
    percents: tuple[float, ...]

    def __post_init__(self) -> None:
        require(
            PERCENTILE in self.source.keys,
            f"key list for group by must contain '{PERCENTILE}'",
        )
        for percent in self.percents:
            require(
                0.0 <= percent <= 100.0,
                f"invalid percentile {format_double(percent)}, value must be 0.0 <= p <= 100.0",
            )

    @property
    def _other_keys(self) -> tuple[str, ...]:
        return tuple(key for key in self.source.keys if key != PERCENTILE)

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The bucket counts."""
        return (self.source,)

    @property
    def is_grouped(self) -> bool:
        """A line for each percentile."""
        return True

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The keys of the source, ``percentile`` among them."""
        return self.source.keys

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group's label."""
        return self.source.group_by_key(tags)

    def parts(self) -> Iterable[object]:
        """Return query, other keys, percentiles, and offset."""
        yield self.source.query
        if self._other_keys:
            yield self._other_keys
            yield Raw(":by")
        yield tuple(sorted(set(self.percents)))
        yield Raw(":percentiles")
        if self.source.offset:
            yield self.source.offset
            yield Raw(":offset")

    def evaluate(self, scope: Scope) -> LineSet:
        """Return the lines, groups in the order of their labels."""
        counts = self.source.evaluate(scope)
        if not len(counts):
            return counts
        layout = scope.layouts.get(self, (counts.tags,), lambda: self._layout(counts.tags))
        if not layout.groups:
            return no_data(scope.steps)
        percents = np.array(sorted(set(self.percents)))
        values = [group.estimate(counts.values, percents) for group in layout.groups]
        return LineSet(tags=layout.tags, labels=layout.labels, values=np.concatenate(values))

    def _layout(self, tags: Sequence[Tags]) -> _Layout:
        """Return the groups of buckets, in the order of their labels."""
        others, groups = self._other_keys, dict[str, list[int]]()
        for row, entry in enumerate(tags):
            if PERCENTILE not in entry:
                continue
            label = key_string(others, entry) if others else ""
            groups.setdefault(label or "", []).append(row)
        shown = [format_double(percent).rjust(5) for percent in sorted(set(self.percents))]
        names = {label: label or self.source.query.label() for label in sorted(groups)}
        spend(len(names) * len(shown) * _LINE_BYTES, "percentiles")
        return _Layout(
            tags=[
                {**tags[groups[label][0]], PERCENTILE: percent}
                for label in names
                for percent in shown
            ],
            labels=counted_labels(
                f"percentile({own}, {percent})" for own in names.values() for percent in shown
            ),
            groups=[_buckets(groups[label], tags) for label in names],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Buckets:
    """The rows of one group, by ascending bucket, and the unit of its values."""

    rows: NDArray[np.intp]
    buckets: IntArray
    scale: float

    def estimate(self, counts: FloatArray, percents: FloatArray) -> FloatArray:
        """Return a row for each percentile."""
        return estimate_percentiles(counts[self.rows], self.buckets, percents) * self.scale


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    tags: Sequence[Tags]
    labels: Sequence[str]
    groups: Sequence[_Buckets]


def _buckets(rows: list[int], tags: Sequence[Tags]) -> _Buckets:
    names = [tags[row][PERCENTILE] for row in rows]
    buckets = _bucket_indexes(names)
    order = np.argsort(buckets)
    return _Buckets(
        rows=np.array(rows, dtype=np.intp)[order],
        buckets=buckets[order],
        scale=_TIMER_SCALE if names[0].startswith("T") else 1.0,
    )


def _bucket_indexes(names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the bucket index that each name encodes, such as 10 for ``D000A``."""
    by_index: dict[int, list[str]] = {}
    indexes: list[int] = []
    for name in names:
        index = _hex_index(name)
        require(index is not None and index < COUNT, f"invalid percentile encoding: [{name}]")
        indexes.append(index or 0)
        by_index.setdefault(index or 0, []).append(name)
    for same in by_index.values():
        require(len(same) == 1, f"invalid percentile encoding: [{','.join(same)}]")
    return np.array(indexes, dtype=np.int64)


def _hex_index(name: str) -> int | None:
    try:
        return int(name[1:], 16)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class ApproxDistinct(SeriesExpr):
    """The estimated number of distinct values (``:approx-distinct``).

    ``expr`` is what is shown; what is fetched are the registers of the sketches, merged by their
    maximum, whatever the aggregate in ``expr``.
    """

    expr: SeriesExpr

    @property
    def _registers(self) -> SeriesExpr:
        return rewrite_series(self.expr, _by_register)

    @property
    def data_exprs(self) -> tuple[DataRequest, ...]:
        """The registers."""
        return self._registers.data_exprs

    @property
    def is_grouped(self) -> bool:
        """Whether the shown expression is grouped."""
        return self.expr.is_grouped

    @property
    def final_grouping(self) -> tuple[str, ...]:
        """The grouping of the shown expression."""
        return self.expr.final_grouping

    def group_by_key(self, tags: Tags) -> str | None:
        """Return the group in the shown expression."""
        return self.expr.group_by_key(tags)

    def parts(self) -> Iterable[object]:
        """Return the shown expression and the word."""
        return (self.expr, Raw(":approx-distinct"))

    def evaluate(self, scope: Scope) -> LineSet:
        """Return an estimate for each group, in the order of their labels."""
        registers = self._registers.evaluate(scope)
        groups: dict[str, list[int]] = {}
        tags_of: dict[str, Tags] = {}
        for row, tags in enumerate(registers.tags):
            if DISTINCT not in tags:
                continue
            rest = {key: value for key, value in tags.items() if key != DISTINCT}
            label = tag_label(rest)
            groups.setdefault(label, []).append(row)
            tags_of[label] = rest
        if not groups:
            return registers if self.is_grouped else no_data(scope.steps)
        labels = sorted(groups)
        values = [self._estimate(registers, groups[label]) for label in labels]
        return LineSet(
            tags=[tags_of[label] for label in labels],
            labels=[self._label(tags_of[label]) for label in labels],
            values=np.stack(values),
        )

    def _label(self, tags: Tags) -> str:
        keys = self.final_grouping
        group = key_string(keys, tags) if keys else None
        return f"approx-distinct({group or tag_label(tags)})"

    def _estimate(self, registers: LineSet, rows: list[int]) -> FloatArray:
        filled = np.full((_REGISTERS, registers.values.shape[1]), np.nan)
        for row in rows:
            index = _hex_index(registers.tags[row][DISTINCT])
            if index is not None and 0 <= index < _REGISTERS:
                filled[index] = np.fmax(filled[index], registers.values[row])
        return estimate_distinct(filled)


def _by_register(node: Expr) -> Expr | None:
    if isinstance(node, AggregateExpr):
        return GroupedData(_maximum(node), (DISTINCT,))
    if isinstance(node, GroupedData):
        keys = tuple(key for key in node.keys if key != DISTINCT)
        return GroupedData(_maximum(node.source), (DISTINCT, *keys))
    return None


def _maximum(source: AggregateExpr) -> AggregateExpr:
    return AggregateExpr(source.query, Aggregate.MAX, None, source.offset)
