"""The slot of a series: in which of 256 parts a cluster keeps it.

A slot is the highest byte of the sum of mixed pairs that an identity is made of, without the pair
that names the kind. Nodes may have heard differently of a metric's type, and the same series has to
be found where it was put.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.model import DSTYPE, IndexArray, Tags
from collectors.store.series.kinds import KINDS
from collectors.store.series.tag_rows import intern_rows, mixed_pair
from collectors.store.series.tag_view import TagView
from collectors.store.series.words import Words, digests_of

SLOTS = 256
"""Into how many parts the series are divided."""
_SHIFT = np.uint64(56)


@kernel
def _slots(
    digests: NDArray[np.uint64],
    arena: IndexArray,
    start: NDArray[np.int64],
    count: IndexArray,
    dstype: int,
    kinds: IndexArray,
    out: NDArray[np.uint8],
) -> None:
    for row in range(len(start)):
        total = np.uint64(0)
        end = min(start[row] + count[row], len(arena) - 1)
        for i in range(start[row], end, 2):
            key, value = arena[i], arena[i + 1]
            # Words that came after the digests were looked at belong to rows that are void.
            if key >= len(digests) or value >= len(digests):
                continue
            named = False
            if key == dstype:
                for k in range(len(kinds)):
                    named = named or value == kinds[k]
            if not named:
                total += mixed_pair(digests[key, 0], digests[value, 0])
        out[row] = np.uint8(total >> _SHIFT)


def slots_of(view: TagView, ids: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the slot of each of ``ids``."""
    out = np.empty(len(ids), dtype=np.uint8)
    dstype = view.words.find(DSTYPE)
    kinds = np.array([view.words.find(kind.value) for kind in KINDS], dtype=np.int32)
    _slots(view.words.digests, view.arena, view.start[ids], view.count[ids], dstype, kinds, out)
    return out


class SlotFinder:
    """Finds the slots of tag sets. Not safe for many threads.

    Args:
        max_words_bytes: About what remembered texts may take; then all are forgotten.
    """

    def __init__(self, max_words_bytes: int = 64 << 20) -> None:
        self._max_words_bytes = max_words_bytes
        self.words = Words((DSTYPE, "name", *KINDS))
        self._kinds = np.array([self.words.find(kind.value) for kind in KINDS], dtype=np.int32)

    def trim(self) -> bool:
        """Forget all words when they are too many; return whether they were."""
        if self.words.size <= self._max_words_bytes:
            return False
        self.words = Words((DSTYPE, "name", *KINDS))
        return True

    def of(self, series: Sequence[Tags]) -> NDArray[np.uint8]:
        """Return the slot of each tag set."""
        self.trim()
        rows = intern_rows(self.words, series)
        return self.of_rows(rows.counts, rows.pairs)

    def of_rows(self, counts: IndexArray, pairs: IndexArray) -> NDArray[np.uint8]:
        """Return the slots of rows of numbers of ``words``."""
        out = np.empty(len(counts), dtype=np.uint8)
        start = np.cumsum(counts, dtype=np.int64) - counts
        # One more, as an arena has: the kernel reads pairs.
        arena = np.append(pairs, np.zeros(1, dtype=np.int32)).astype(np.int32)
        dstype = self.words.find(DSTYPE)
        _slots(self.words.digests, arena, start, counts, dstype, self._kinds, out)
        return out


def slot_of(tags: Tags) -> int:
    """Return the slot of one tag set.

    >>> slot_of({"name": "cpu", "atlas.dstype": "gauge"}) == slot_of({"name": "cpu"})
    True
    """
    return int(SlotFinder().of([tags])[0])


def kind_numbers() -> dict[str, int]:
    """Return what each kind's pair adds to an identity: without it the slot is the highest byte."""
    digests = digests_of([DSTYPE, *(kind.value for kind in KINDS)])
    key = digests[0, 0]
    return {
        kind.value: int(mixed_pair(key, digests[row, 0])) for row, kind in enumerate(KINDS, start=1)
    }
