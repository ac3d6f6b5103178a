"""The tags of all series as they were at a moment, for readers without a lock.

Writers put new series behind what a view refers to, and may reuse the ids of those that are gone.
What a reader found of such an id is void: :meth:`TagView.unchanged` tells, asked last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.model import IndexArray, Tags
from collectors.store.series.tag_rows import TagRows, copy_rows
from collectors.store.series.words import WordView


@kernel
def values_of(
    arena: IndexArray, start: NDArray[np.int64], count: IndexArray, key: int, out: IndexArray
) -> None:
    """Fill ``out`` with the value number of ``key`` in each row, 0 where it has none."""
    for row in range(len(start)):
        out[row] = 0
        end = min(start[row] + count[row], len(arena) - 1)
        for i in range(start[row], end, 2):
            if arena[i] == key:
                out[row] = arena[i + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagView:
    """Tags in columns, by id; S ids, P numbers of words.

    Attributes:
        words: What the numbers stand for.
        arena: (P,) int32, key and value alternating.
        start: (S,) int64, where the pairs of each series begin.
        count: (S,) int32, how many numbers they are.
        changed: (S,) int32, the generation in which each id was given out or dropped; goes on.
        generation: That of the view.
    """

    words: WordView
    arena: IndexArray
    start: NDArray[np.int64]
    count: IndexArray
    changed: IndexArray
    generation: int

    def unchanged(self, ids: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which ids are still those of the view, and were all the while."""
        same: NDArray[np.bool_] = self.changed[ids] <= self.generation
        return same

    def values(self, ids: NDArray[Any], key: str) -> IndexArray:
        """Return the value number of ``key`` of each id, 0 where it lacks the key."""
        out = np.zeros(len(ids), dtype=np.int32)
        number = self.words.find(key)
        if number:
            values_of(self.arena, self.start[ids], self.count[ids], number, out)
        return out

    def tag_rows(self, ids: NDArray[Any]) -> TagRows:
        """Return the tags of ``ids`` in columns."""
        counts = self.count[ids]
        pairs = np.empty(int(counts.sum()), dtype=np.int32)
        copy_rows(self.arena, self.start[ids], counts, pairs)
        return TagRows(counts=counts, pairs=pairs)

    def tags(self, series: int) -> Tags:
        """Return the tags of one series."""
        texts, start = self.words.texts, int(self.start[series])
        pairs = self.arena[start : start + int(self.count[series])].tolist()
        return {texts[pairs[i]]: texts[pairs[i + 1]] for i in range(0, len(pairs) - 1, 2)}
