"""Operators between two vectors: which series belong together, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.budget import spend
from collectors.model import FloatArray, IntArray
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.labels.table import Labels, joined
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import Binary, Matching
from collectors.promql.operators.arithmetic import COMPARISON, computed
from collectors.promql.vectors.values import BoolArray, Vector, below

_PAIR_BYTES, _COUNT_BYTES, _VALUE_BYTES = 32, 8, 26


def signatures(matching: Matching, left: Labels, right: Labels) -> tuple[IntArray, IntArray, int]:
    """Return the number of the match group of each series of both sides, and how many there are."""
    if matching.on:
        both = joined([left.only(matching.labels), right.only(matching.labels)])
    else:
        gone = (NAME_LABEL, *matching.labels)
        both = joined([left.without(gone), right.without(gone)])
    ids, first = both.ids()
    return ids[: left.size], ids[left.size :], len(first)


def per_group(ids: IntArray, present: BoolArray, groups: int) -> IntArray:
    """Return (G, T) how many series of each group are present."""
    spend(_COUNT_BYTES * groups * present.shape[1], "match groups")
    counts = np.zeros((groups, present.shape[1]), dtype=np.int64)
    np.add.at(counts, ids, present)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One side of a match: its vector, and the group of each of its series."""

    vector: Vector
    ids: IntArray


def between_vectors(node: Binary, left: Vector, right: Vector) -> Vector:
    """Return an operator between the series of two vectors that match.

    Raises:
        PromqlError: Several series match where one must, at some step.
    """
    left_ids, right_ids, groups = signatures(node.matching, left.labels, right.labels)
    swapped = node.matching.card == "one-to-many"
    many, one = _Side(vector=left, ids=left_ids), _Side(vector=right, ids=right_ids)
    if swapped:
        many, one = one, many
    single = per_group(one.ids, one.vector.present, groups)
    if (single > 1).any():
        side = "left" if swapped else "right"
        raise PromqlError(_many_to_many(node.matching, one, single, side))
    rows, others = _pairs(many.ids, one.ids)
    spend(_VALUE_BYTES * len(rows) * left.values.shape[1], "pairs of series")
    matched = _matched(node, many, one, rows, others, swapped=swapped)
    parts = [matched, *_filled(node, many, one, groups, swapped=swapped)]
    if node.matching.card == "one-to-one":
        pair_ids = many.ids[rows]
        twice = per_group(pair_ids, many.vector.present[rows] & one.vector.present[others], groups)
        if (twice > 1).any():
            raise PromqlError(
                "multiple matches for labels: many-to-one matching must be explicit "
                "(group_left/group_right)"
            )
    return _united(node, parts)


def _many_to_many(matching: Matching, one: _Side, counts: IntArray, side: str) -> str:
    group, step = np.argwhere(counts > 1)[0]
    rows = np.flatnonzero((one.ids == group) & one.vector.present[:, step])[:2]
    sets = one.vector.labels.take(rows).dicts()
    if matching.on:
        key = {name: sets[0].get(name, "") for name in matching.labels if sets[0].get(name)}
    else:
        gone = {NAME_LABEL, *matching.labels}
        key = {name: value for name, value in sets[0].items() if name not in gone}
    return (
        f"found duplicate series for the match group {shown(key)} on the {side} hand-side of the "
        f"operation: [{shown(sets[1])}, {shown(sets[0])}];many-to-many matching not allowed: "
        "matching labels must be unique on one side"
    )


def shown(labels: dict[str, str]) -> str:
    """Return a label set as Prometheus writes it in messages."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _pairs(many: IntArray, one: IntArray) -> tuple[IntArray, IntArray]:
    """Return the rows of both sides for each pair of one group."""
    order = np.argsort(one, kind="stable")
    low = np.searchsorted(one[order], many, side="left")
    counts = np.searchsorted(one[order], many, side="right") - low
    spend(_PAIR_BYTES * int(counts.sum()), "pairs of series")
    rows = np.repeat(np.arange(len(many)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[np.repeat(low, counts) + within]


def _matched(
    node: Binary, many: _Side, one: _Side, rows: IntArray, others: IntArray, *, swapped: bool
) -> Vector:
    one_labels = one.vector.labels.take(others)
    labels = _result_labels(node.matching, many.vector.labels.take(rows), one_labels)
    present = many.vector.present[rows] & one.vector.present[others]
    mine, theirs = many.vector.values[rows], one.vector.values[others]
    left, right = (theirs, mine) if swapped else (mine, theirs)
    return _result(node, labels, left, right, present, many.vector.drop_name[rows])


def _result_labels(matching: Matching, many: Labels, one: Labels) -> Labels:
    if matching.card == "one-to-one":
        return many.only(matching.labels) if matching.on else many.without(matching.labels)
    for name in matching.include:
        many = many.replaced(name, one.column(name))
    return many


def _result(
    node: Binary,
    labels: Labels,
    left: FloatArray,
    right: FloatArray,
    present: BoolArray,
    drop_name: BoolArray,
) -> Vector:
    found = computed(node.op, left, right)
    if node.op in COMPARISON and not node.return_bool:
        present = present & (found > 0)
        found = np.broadcast_to(left, found.shape).copy()
    else:
        drop_name = np.ones(labels.size, dtype=np.bool_)
    return Vector(labels=labels, values=found, present=present, drop_name=drop_name)


def _filled(node: Binary, many: _Side, one: _Side, groups: int, *, swapped: bool) -> list[Vector]:
    """Return what series without a match become, where a value stands for what is missing."""
    matching = node.matching
    for_one = matching.fill_left if swapped else matching.fill_right
    for_many = matching.fill_right if swapped else matching.fill_left
    parts: list[Vector] = []
    if for_one is not None:
        lone = many.vector.present & (per_group(one.ids, one.vector.present, groups)[many.ids] == 0)
        blank = Labels.blank(many.vector.labels.words, many.vector.labels.size)
        labels = _result_labels(matching, many.vector.labels, blank)
        parts.append(_with_fill(node, many.vector, labels, lone, for_one, fill_left=swapped))
    if for_many is not None:
        lone = one.vector.present & (per_group(many.ids, many.vector.present, groups)[one.ids] == 0)
        labels = one.vector.labels
        names = (*matching.labels, *matching.include) if matching.on else ()
        labels = labels.only(names) if matching.on else labels.without(matching.labels)
        parts.append(_with_fill(node, one.vector, labels, lone, for_many, fill_left=not swapped))
    return parts


def _with_fill(
    node: Binary,
    vector: Vector,
    labels: Labels,
    lone: BoolArray,
    fill: float,
    *,
    fill_left: bool,
) -> Vector:
    filled = np.full(vector.values.shape, fill)
    left, right = (filled, vector.values) if fill_left else (vector.values, filled)
    return _result(node, labels, left, right, lone, vector.drop_name)


def _united(node: Binary, parts: list[Vector]) -> Vector:
    """Return the parts as one vector; a series that is present nowhere is none."""
    vector = parts[0] if len(parts) == 1 else below(parts)
    vector = vector.take(np.flatnonzero(vector.present.any(axis=1)))
    if node.matching.card == "one-to-one":
        return vector
    bare = vector.labels.without([NAME_LABEL]) if vector.drop_name.all() else vector.labels
    ids, first = bare.ids()
    if len(first) < len(ids) and (per_group(ids, vector.present, len(first)) > 1).any():
        raise PromqlError("multiple matches for labels: grouping labels must ensure unique matches")
    return vector
