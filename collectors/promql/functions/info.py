"""``info()``: labels of an info metric, such as ``target_info``, for the series it tells of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collectors.model import IntArray
from collectors.promql.functions.arguments import Arguments, Function, names_of
from collectors.promql.labels.matchers import NAME_LABEL, Matcher, MatchOp
from collectors.promql.labels.table import Labels, joined
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.vectors.selecting import select_instants
from collectors.promql.vectors.values import Value, Vector, below

_IDENTITY = ("instance", "job")
_DEFAULT = Matcher(name=NAME_LABEL, op=MatchOp.EQUAL, value="target_info")


def _info(given: Arguments) -> Value:
    vector = given.vector()
    wanted = _selector(given)
    of_names = [m for m in wanted if m.name == NAME_LABEL] or [_DEFAULT]
    of_data = [m for m in wanted if m.name != NAME_LABEL]
    # Info metrics themselves are not told of by others.
    itself = np.ones(vector.labels.size, dtype=np.bool_)
    for matcher in of_names:
        itself &= matcher.holds(names_of(vector))
    selector = VectorSelector(
        start=given.node.start,
        end=given.node.end,
        name="",
        matchers=(*of_names, *of_data),
    )
    told = select_instants(given.context, selector)
    names = sorted({m.name for m in of_data}) or _data_labels(told.labels)
    parts = [_joined(given, vector.take(np.flatnonzero(~itself)), told, names, of_data)]
    if itself.any():
        parts.append(vector.take(np.flatnonzero(itself)))
    return below(parts)


def _selector(given: Arguments) -> tuple[Matcher, ...]:
    if not given.given(1):
        return ()
    node = given.place(1)
    return node.matchers if isinstance(node, VectorSelector) else ()


def _data_labels(labels: Labels) -> list[str]:
    return sorted(set(labels.columns) - {NAME_LABEL, *_IDENTITY})


def _joined(
    given: Arguments, vector: Vector, told: Vector, names: list[str], of_data: list[Matcher]
) -> Vector:
    """Return each series with the labels of its info series, split where those change."""
    both = joined([vector.labels.only(_IDENTITY), told.labels.only(_IDENTITY)])
    ids, _ = both.ids()
    mine, theirs = ids[: vector.labels.size], ids[vector.labels.size :]
    rows, others = _combinations(given, told, mine, theirs)
    labels = vector.labels.take(rows)
    for name in names:
        own = labels.column(name)
        added = (
            np.where(others >= 0, told.labels.column(name)[others], 0) if told.labels.size else 0
        )
        labels = labels.replaced(name, np.where(own > 0, own, added).astype(np.int32))
    present = vector.present[rows].copy()
    covered = np.zeros(vector.present.shape, dtype=np.bool_)
    for at, (row, other) in enumerate(zip(rows.tolist(), others.tolist(), strict=True)):
        if other >= 0:
            present[at] &= told.present[other] & ~covered[row]
            covered[row] |= told.present[other]
    required = any(not matcher.takes_empty for matcher in of_data)
    for at, (row, other) in enumerate(zip(rows.tolist(), others.tolist(), strict=True)):
        if other < 0:
            present[at] &= ~covered[row] & (not required)
    found = replace(
        vector,
        labels=labels,
        values=vector.values[rows],
        present=present,
        drop_name=vector.drop_name[rows],
    )
    return found.take(np.flatnonzero(present.any(axis=1)))


def _combinations(
    given: Arguments, told: Vector, mine: IntArray, theirs: IntArray
) -> tuple[IntArray, IntArray]:
    """Return pairs of series and info series, and each series with none (-1)."""
    by_group: dict[int, list[int]] = {}
    for row, group in enumerate(theirs.tolist()):
        by_group.setdefault(group, []).append(row)
    for group, members in by_group.items():
        by_name: dict[str, int] = {}
        for row in members:
            name = names_of(told)[row]
            if name in by_name and (told.present[row] & told.present[by_name[name]]).any():
                raise PromqlError(
                    f"found duplicate series for info metric: existing {name}, group {group}"
                )
            by_name[name] = row
    del given
    rows: list[int] = []
    others: list[int] = []
    for row, group in enumerate(mine.tolist()):
        for other in [*by_group.get(group, []), -1]:
            rows.append(row)
            others.append(other)
    return np.array(rows, dtype=np.int64), np.array(others, dtype=np.int64)


INFO_FUNCTIONS: dict[str, Function] = {"info": _info}
"""Each by its name."""
