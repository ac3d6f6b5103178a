"""The postings of one tag key: which series have each of its values.

Most values of a high-cardinality key belong to one series. Those stand in two sorted columns, eight
bytes each; a value gets a bitmap when a second series shares it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from collectors.model import IndexArray

_NONE = np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Values with the series that have them: V values, S series.

    Attributes:
        values: (V,) int32, ascending numbers of words.
        starts: (V + 1,) int64, where the series of each value begin and end in ``ids``.
        ids: (S,) int32.
    """

    values: IndexArray
    starts: NDArray[np.int64]
    ids: IndexArray

    def each(self, rows: NDArray[np.bool_]) -> Iterator[tuple[int, IndexArray]]:
        """Yield the chosen values, each with its series."""
        for row in np.flatnonzero(rows).tolist():
            yield int(self.values[row]), self.ids[self.starts[row] : self.starts[row + 1]]


def bitmap(ids: IndexArray) -> BitMap:
    """Return a set of series; an array of the standard library is what it is made of fastest."""
    return BitMap(array("I", ids.astype(np.uint32).tobytes()))


class Postings:
    """Values of one key, and the series that have them."""

    def __init__(self) -> None:
        self._values = _NONE  # with one series each, ascending
        self._ids = _NONE
        self._shared: dict[int, BitMap] = {}

    def __bool__(self) -> bool:
        return bool(len(self._values) or self._shared)

    def add(self, holders: Holders) -> None:
        """Add series that were not there."""
        at, alone = self._places(holders.values)
        shared = self._is_shared(holders.values)
        fresh = (np.diff(holders.starts) == 1) & ~alone & ~shared
        for value, members in holders.each(shared):
            self._shared[value].update(members.tolist())
        for value, members in holders.each(~fresh & ~shared):
            self._shared[value] = BitMap(members.tolist())
        for value, first in zip(holders.values[alone].tolist(), self._ids[at[alone]], strict=True):
            self._shared[value].add(int(first))
        keep = np.ones(len(self._values), dtype=np.bool_)
        keep[at[alone]] = False
        self._merge(keep, holders.values[fresh], holders.ids[holders.starts[:-1][fresh]])

    def remove(self, holders: Holders) -> None:
        """Forget series."""
        at, alone = self._places(holders.values)
        for value, members in holders.each(~alone):
            left = self._shared.get(value, BitMap()) - BitMap(members.tolist())
            if left:
                self._shared[value] = left
            else:
                self._shared.pop(value, None)
        keep = np.ones(len(self._values), dtype=np.bool_)
        keep[at[alone]] = False
        self._merge(keep, _NONE, _NONE)

    def values(self) -> IndexArray:
        """Return every value, in no order."""
        shared = np.fromiter(self._shared, dtype=np.int32, count=len(self._shared))
        return np.concatenate((self._values, shared))

    def union(self, values: IndexArray) -> BitMap:
        """Return the series that have one of ``values``."""
        wanted = np.unique(values)
        at, alone = self._places(wanted)
        single = bitmap(self._ids[at[alone]])
        maps = [self._shared[v] for v in wanted[~alone].tolist() if v in self._shared]
        return BitMap.union(single, *maps) if maps else single

    def _places(self, values: IndexArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where each value stands among those with one series, and whether it does."""
        at = np.searchsorted(self._values, values)
        found = at < len(self._values)
        found[found] = self._values[at[found]] == values[found]
        return at, found

    def _is_shared(self, values: IndexArray) -> NDArray[np.bool_]:
        if not self._shared:
            return np.zeros(len(values), dtype=np.bool_)
        return np.fromiter((v in self._shared for v in values.tolist()), np.bool_, len(values))

    def _merge(self, keep: NDArray[np.bool_], values: IndexArray, ids: IndexArray) -> None:
        """Drop rows that are not kept and put others in."""
        if not len(values) and keep.all():
            return
        old_values, old_ids = self._values[keep], self._ids[keep]
        at = np.searchsorted(old_values, values)
        self._values = np.insert(old_values, at, values)
        self._ids = np.insert(old_ids, at, ids)
