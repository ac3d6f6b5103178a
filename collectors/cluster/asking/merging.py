"""What several nodes answer, put together: sums add up, and so do counts, least and largest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from collectors.budget import reserved
from collectors.model import FloatArray, Tags
from collectors.stacklang.lines.database import Aggregate, Fetch, Lines
from collectors.stacklang.lines.line_merge import sort_groups
from collectors.store.arrivals import Heard
from collectors.tag_counts import TagCounts


def _added(total: FloatArray, part: FloatArray) -> FloatArray:
    """Return sums in which what one side lacks is the other's; NaN where both lack it."""
    return np.where(np.isnan(total), part, np.where(np.isnan(part), total, total + part))


_FOLDS: Mapping[Aggregate, Callable[[FloatArray, FloatArray], FloatArray]] = {
    Aggregate.SUM: _added,
    Aggregate.COUNT: _added,
    Aggregate.MIN: np.fmin,
    Aggregate.MAX: np.fmax,
}


def merged_lines(parts: Sequence[Lines], request: Fetch) -> Lines:
    """Return the lines of all nodes: those of one group as one, or each series by itself."""
    parts = [part for part in parts if len(part.tags)]
    steps = request.window.steps
    if not parts:
        return Lines(tags=[], values=np.empty((0, steps)))
    if len(parts) == 1:
        return parts[0]
    with reserved(8 * steps * sum(len(part.tags) for part in parts), "lines of several nodes"):
        if request.aggregate is Aggregate.ALL:
            tags = [one for part in parts for one in part.tags]
            return Lines(tags=tags, values=np.concatenate([part.values for part in parts]))
        return _folded(parts, request)


def _folded(parts: Sequence[Lines], request: Fetch) -> Lines:
    rows: dict[tuple[str, ...], int] = {}
    tags: list[Tags] = []
    places = []
    for part in parts:
        at = []
        for one in part.tags:
            key = tuple([one[name] for name in request.group_by])
            row = rows.setdefault(key, len(tags))
            if row == len(tags):
                tags.append(one)
            at.append(row)
        places.append(at)
    values = np.full((len(tags), request.window.steps), np.nan)
    fold = _FOLDS[request.aggregate]
    for part, at in zip(parts, places, strict=True):
        values[at] = fold(values[at], part.values)
    return sort_groups(Lines(tags=tags, values=values), request.group_by)


def added_counts(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return counts by name, added up."""
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total


def added_tag_counts(parts: Sequence[TagCounts]) -> TagCounts:
    """Return the tags of all, counted."""
    keys = dict.fromkeys(key for part in parts for key in part.tags)
    return TagCounts(
        series=sum(part.series for part in parts),
        counted=sum(part.counted for part in parts),
        tags={key: added_counts([part.tags.get(key, {}) for part in parts]) for key in keys},
    )


def merged_heard(parts: Sequence[Heard]) -> Heard:
    """Return what several nodes heard, the lines of each behind those of the one before."""
    before = np.cumsum([0, *(len(part.tags) for part in parts)], dtype=np.int32)
    return Heard(
        series=_joined([part.series for part in parts], np.int32),
        line=_joined([part.line + n for part, n in zip(parts, before, strict=False)], np.int32),
        tags=[one for part in parts for one in part.tags],
        sender=_joined([part.sender for part in parts], np.uint64),
        newest_ms=_joined([part.newest_ms for part in parts], np.int64),
    )


def _joined(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays]).astype(dtype)
