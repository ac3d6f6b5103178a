"""From the hash of raw label bytes to a series id: open addressing, in columns.

An entry is valid while the series keeps the incarnation that it had when the entry was made, so
an expired series needs no removal here; stale entries go when the table is rebuilt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.model import IndexArray
from collectors.store.kernel import kernel

_START = 1 << 12


@kernel
def _find(
    keys: NDArray[np.uint64],
    ids: IndexArray,
    made: IndexArray,
    incarnation: IndexArray,
    wanted: NDArray[np.uint64],
    found: IndexArray,
) -> int:
    """Fill ``found`` with ids, -1 where unknown or stale; return how many are missing."""
    mask = np.uint64(len(ids) - 1)
    missing = 0
    for i in range(len(wanted)):
        a, b = wanted[i, 0], wanted[i, 1]
        at = np.int64(a & mask)
        found[i] = -1
        while keys[at, 0] != 0:
            if keys[at, 0] == a and keys[at, 1] == b:
                if incarnation[ids[at]] == made[at]:
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


class LabelTable:
    """The hash table; not safe for concurrent use.

    Args:
        incarnation: Incarnation of each series id, 0 for ids never used.
    """

    def __init__(self, incarnation: IndexArray) -> None:
        self._incarnation = incarnation
        self._used = 0
        self._allocate(_START)

    def find(self, wanted: NDArray[np.uint64]) -> tuple[IndexArray, int]:
        """Return ids for hashes of shape (n, 2), -1 where unknown, and the number unknown."""
        found = np.empty(len(wanted), dtype=np.int32)
        missing = _find(self._keys, self._ids, self._made, self._incarnation, wanted, found)
        return found, missing

    def insert(self, hashes: NDArray[np.uint64], ids: IndexArray) -> None:
        """Remember that label bytes with these hashes mean these series."""
        if 2 * (self._used + len(ids)) > len(self._ids):
            self._rebuild(len(ids))
        made = self._incarnation[ids]
        self._used += _insert(self._keys, self._ids, self._made, hashes, ids, made)

    def _allocate(self, slots: int) -> None:
        self._keys = np.zeros((slots, 2), dtype=np.uint64)
        self._ids = np.zeros(slots, dtype=np.int32)
        self._made = np.zeros(slots, dtype=np.int32)
        self._used = 0

    def _rebuild(self, more: int) -> None:
        valid = (self._keys[:, 0] != 0) & (self._incarnation[self._ids] == self._made)
        keys, ids = self._keys[valid], self._ids[valid]
        slots = _START
        while slots < 3 * (len(ids) + more):
            slots *= 2
        self._allocate(slots)
        self._used = _insert(self._keys, self._ids, self._made, keys, ids, self._incarnation[ids])
