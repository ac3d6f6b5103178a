"""From a 128-bit hash to a number: open addressing, in columns.

A hash belongs into the slot that its low bits name, or into the next one that is free::

    slot       0       1       2       3       4       5       6       7      a power of two
    keys       a b     ·       c d     e f     ·       ·       g h     ·      0 0 is free
    ids        17              3       40                      8              its number
    made       0               2       0                       1              stamp at insertion

               e f belongs into slot 2, which was taken; a search for it goes on until a free slot

At most half of the slots are taken. Nothing is taken out: stale entries stay until the rebuild.

Each entry carries a stamp beside its number. What the number stands for may have gone since, and
with another stamp the entry then counts as absent; such entries go when the table is rebuilt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel
from collectors.model import IndexArray

_START = 1 << 12


@kernel
def _find(
    keys: NDArray[np.uint64],
    ids: IndexArray,
    made: IndexArray,
    stamps: IndexArray,
    wanted: NDArray[np.uint64],
    found: IndexArray,
) -> int:
    """Fill ``found`` with numbers, -1 where unknown or stale; return how many are missing."""
    mask = np.uint64(len(ids) - 1)
    missing = 0
    for i in range(len(wanted)):
        a, b = wanted[i, 0], wanted[i, 1]
        at = np.int64(a & mask)
        found[i] = -1
        while keys[at, 0] != 0:
            if keys[at, 0] == a and keys[at, 1] == b:
                if len(stamps) == 0 or stamps[ids[at]] == made[at]:
                    found[i] = ids[at]
                break
            at = (at + 1) & np.int64(mask)
        if found[i] < 0:
            missing += 1
    return missing


@kernel
def _insert(
    keys: NDArray[np.uint64],
    ids: IndexArray,
    made: IndexArray,
    new_keys: NDArray[np.uint64],
    new_ids: IndexArray,
    new_made: IndexArray,
) -> int:
    """Insert or overwrite entries; return how many slots were taken."""
    mask = np.uint64(len(ids) - 1)
    taken = 0
    for i in range(len(new_ids)):
        a, b = new_keys[i, 0], new_keys[i, 1]
        at = np.int64(a & mask)
        while keys[at, 0] != 0 and not (keys[at, 0] == a and keys[at, 1] == b):
            at = (at + 1) & np.int64(mask)
        if keys[at, 0] == 0:
            taken += 1
        keys[at, 0], keys[at, 1] = a, b
        ids[at], made[at] = new_ids[i], new_made[i]
    return taken


class HashTable:
    """The hash table; not safe for concurrent use. The first half of a hash is never 0.

    Args:
        stamps: (numbers,) the stamp that an entry of each number must have; None for no stamps.
    """

    def __init__(self, stamps: IndexArray | None = None) -> None:
        self._stamps = np.zeros(0, dtype=np.int32) if stamps is None else stamps
        self._used = 0
        self._allocate(_START)

    def __len__(self) -> int:
        return self._used

    def find(self, wanted: NDArray[np.uint64]) -> tuple[IndexArray, int]:
        """Return numbers for hashes of shape (n, 2), -1 where unknown, and how many are."""
        found = np.empty(len(wanted), dtype=np.int32)
        missing = _find(self._keys, self._ids, self._made, self._stamps, wanted, found)
        return found, missing

    def insert(self, hashes: NDArray[np.uint64], ids: IndexArray) -> None:
        """Remember the number of each hash."""
        if 2 * (self._used + len(ids)) > len(self._ids):
            self._rebuild(len(ids))
        self._used += _insert(self._keys, self._ids, self._made, hashes, ids, self._stamps_of(ids))

    def clear(self) -> None:
        """Forget everything."""
        self._allocate(_START)

    def _stamps_of(self, ids: IndexArray) -> IndexArray:
        return self._stamps[ids] if len(self._stamps) else np.zeros(len(ids), dtype=np.int32)

    def _allocate(self, slots: int) -> None:
        self._keys = np.zeros((slots, 2), dtype=np.uint64)
        self._ids = np.zeros(slots, dtype=np.int32)
        self._made = np.zeros(slots, dtype=np.int32)
        self._used = 0

    def _rebuild(self, more: int) -> None:
        valid = (self._keys[:, 0] != 0) & (self._stamps_of(self._ids) == self._made)
        keys, ids = self._keys[valid], self._ids[valid]
        slots = _START
        while slots < 3 * (len(ids) + more):
            slots *= 2
        self._allocate(slots)
        self._used = _insert(self._keys, self._ids, self._made, keys, ids, self._stamps_of(ids))
