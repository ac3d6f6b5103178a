"""Aggregations over series that come some at a time: sums, means, counts and extremes by group."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np

from collectors.budget import spend
from collectors.model import IntArray
from collectors.promql.labels.table import Labels, joined
from collectors.promql.language.nodes import Aggregation
from collectors.promql.operators.aggregating import group_labels
from collectors.promql.samples import groups as kernels
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.values import BoolArray, Vector, empty_vector

ADDED = ("sum", "avg", "count", "group", "min", "max")
"""What can be computed part by part."""
_CELL_BYTES = 24


def _keys(labels: Labels, rows: IntArray) -> Iterator[Hashable]:
    """Yield what tells the label sets of some rows from others, here and in other tables."""
    columns = {name: column[rows].tolist() for name, column in sorted(labels.columns.items())}
    names = tuple(columns)
    for numbers in zip(*columns.values(), strict=True) if columns else [()] * len(rows):
        if 0 in numbers:
            there = [(n, k) for n, k in zip(names, numbers, strict=True) if k]
            yield tuple(n for n, _ in there), tuple(k for _, k in there)
        else:
            yield names, numbers


class Adding:
    """Adds up groups over T steps; see :mod:`collectors.promql.samples.groups` for the sums.

    Args:
        context: Its steps and words.
        node: Which aggregation, one of :data:`ADDED`.

    Attributes:
        total: (G, T) sums or extremes so far, of at least as many groups as there are.
        gone: (G, T) what the sums lost.
        counts: (G, T) of how many series.
    """

    def __init__(self, context: Context, node: Aggregation) -> None:
        self._context, self._node = context, node
        self._numbers: dict[Hashable, int] = {}
        self._labels: list[Labels] = []
        self._drop_name = np.zeros(0, dtype=np.bool_)
        self.total, self.gone, self.counts = (np.zeros((0, context.steps)) for _ in range(3))

    def groups(self, labels: Labels, drop_name: BoolArray) -> IntArray:
        """Return the group of each of some series; there is room for all of them then."""
        kept = group_labels(self._node, labels)
        ids, first = kept.ids()
        own: IntArray = np.empty(len(first), dtype=np.int64)
        new = []
        for at, key in enumerate(_keys(kept, first)):
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._numbers)
                new.append(at)
            own[at] = number
        if new:
            self._labels.append(kept.take(first[new]))
        self._make_room()
        found = own[ids]
        self._drop_name[found[drop_name]] = True
        return found

    def _make_room(self) -> None:
        there, wanted = len(self.total), len(self._numbers)
        if wanted <= there:
            return
        more = max(wanted - there, there // 2)
        spend(_CELL_BYTES * more * self._context.steps, "groups of an aggregation")
        room = np.zeros((more, self._context.steps))
        self.total, self.gone, self.counts = (
            np.concatenate([array, room]) for array in (self.total, self.gone, self.counts)
        )
        self._drop_name = np.concatenate([self._drop_name, np.zeros(more, dtype=np.bool_)])

    def add(self, vector: Vector) -> None:
        """Add the series of a part."""
        ids = self.groups(vector.labels, vector.drop_name)
        values, present = vector.values, vector.present
        if self._node.op in ("min", "max"):
            largest = self._node.op == "max"
            kernels.extreme_groups(ids, values, present, largest, self.total, self.counts)
        else:
            kernels.sum_groups(ids, values, present, self.total, self.gone, self.counts)

    def result(self) -> Vector | None:
        """Return the groups; None for a mean whose sum is too large for a float."""
        if not self._labels:
            return empty_vector(Labels.blank(self._context.words, 0), self._context.steps)
        size, op = len(self._numbers), self._node.op
        values, counts = self.total[:size], self.counts[:size]
        if op == "avg":
            if np.isinf(values).any():
                return None
            with np.errstate(all="ignore"):
                values = values / counts + self.gone[:size] / counts
        elif op == "sum":
            kernels.finish_sums(values, self.gone[:size])
        elif op in ("count", "group"):
            values = counts if op == "count" else np.ones(counts.shape)
        found = Vector(
            labels=joined(self._labels),
            values=values,
            present=counts > 0,
            drop_name=self._drop_name[:size],
        )
        rows = np.flatnonzero(found.present.any(axis=1))
        return found if len(rows) == size else found.take(rows)
