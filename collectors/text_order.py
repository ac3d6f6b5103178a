"""The order of many texts, found without holding the interpreter's lock.

``sorted`` over a million strings keeps every other thread waiting for a second. Here the texts are
laid out as bytes, whose order in UTF-8 is that of their code points, and sorted by eight bytes at a
time: first all of them by the first eight, then those that are equal so far by the next.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.budget import look
from collectors.kernel import kernel
from collectors.model import IndexArray

FEW = 2_048
_LAID_OUT_AT_ONCE = 8_192


@kernel
def _eight_bytes(
    arena: NDArray[np.uint8],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    offset: int,
    out: NDArray[np.uint64],
) -> None:
    """Fill ``out`` with eight bytes of each text from ``offset`` on, 0 beyond its end."""
    for row in range(len(start)):
        number = np.uint64(0)
        first = start[row] + offset
        for i in range(8):
            number <<= np.uint64(8)
            if first + i < stop[row]:
                number |= np.uint64(arena[first + i])
        out[row] = number


def text_ranks(texts: Sequence[str], numbers: IndexArray) -> NDArray[np.int64]:
    """Return the place of each numbered text in the order of all, equal for equal texts.

    Args:
        texts: By number.
        numbers: (N,) which of them.
    """
    distinct, which = np.unique(numbers, return_inverse=True)
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[text_order([texts[n] for n in distinct.tolist()])] = np.arange(len(distinct))
    return rank[which]


def text_order(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of ``texts`` in their order, equal ones as they stand."""
    if len(texts) <= FEW:
        return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.int64)
    arena, start, stop = _laid_out(texts)
    group = np.zeros(len(texts), dtype=np.int64)
    open_rows = np.arange(len(texts))
    offset = 0
    while len(open_rows):
        look()
        first, last = start[open_rows], stop[open_rows]
        number = np.empty(len(open_rows), dtype=np.uint64)
        _eight_bytes(arena, first, last, offset, number)
        # A text that ends is before one that goes on with NUL.
        left = np.minimum(np.maximum(last - first - offset, 0), 9)
        by_rank = np.lexsort((left, number, group[open_rows]))
        rows, number, left = open_rows[by_rank], number[by_rank], left[by_rank]
        old = group[rows]
        new_run = np.ones(len(rows), dtype=np.bool_)
        new_run[1:] = (old[1:] != old[:-1]) | (number[1:] != number[:-1]) | (left[1:] != left[:-1])
        new_run |= left <= 8  # nothing is left to compare: equal texts stay as they stand
        # A group's number is the place of its first member, so that the parts of one stay in it.
        old_start = np.ones(len(rows), dtype=np.bool_)
        old_start[1:] = old[1:] != old[:-1]
        at = np.arange(len(rows))
        within = at - np.maximum.accumulate(np.where(old_start, at, 0))
        place = np.maximum.accumulate(np.where(new_run, at, 0))
        group[rows] = old + within[place]
        ends = np.append(new_run[1:], True)
        open_rows = rows[~(new_run & ends)]
        offset += 8
    order = np.empty(len(texts), dtype=np.int64)
    order[group] = np.arange(len(texts))
    return order


def _laid_out(
    texts: Sequence[str],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Return the UTF-8 bytes of all, and where each begins and ends."""
    pieces: list[bytes] = []
    lengths: list[NDArray[np.int64]] = []
    for begin in range(0, len(texts), _LAID_OUT_AT_ONCE):
        look()
        encoded = [
            t.encode("utf-8", "surrogatepass") for t in texts[begin : begin + _LAID_OUT_AT_ONCE]
        ]
        pieces.append(b"".join(encoded))
        lengths.append(np.array([len(text) for text in encoded], dtype=np.int64))
    length = np.concatenate(lengths)
    stop = np.cumsum(length)
    arena = np.concatenate([np.frombuffer(piece, dtype=np.uint8) for piece in pieces])
    return arena, stop - length, stop
