"""The rows of all series, in blocks: room for a few more never means copying them all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.memory import room_for
from anomaly.detectors.novelty.row import ROW, RowArray
from collectors.model import FloatArray

BLOCK_SERIES = 65_536
_Kind = TypeVar("_Kind", bound=np.generic)


class RowBlock(NamedTuple):
    """The state of some series: ``begin`` up to and without ``end``.

    ``rows`` has shape (room, ``ROW``) and ``first`` shape (room,), series from ``begin`` on: what
    is known of each, and its first value, from which all others are counted.
    """

    begin: int
    end: int
    rows: RowArray
    first: FloatArray


class Rows:
    """State that grows; a series of which nothing is known is all zeros."""

    def __init__(self) -> None:
        self._blocks: list[tuple[RowArray, FloatArray]] = []
        self._series = 0

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        while self._series < series:
            used = self._series % BLOCK_SERIES
            if used == 0:
                self._blocks.append((np.zeros((0, ROW), dtype=np.float32), np.zeros(0)))
            rows, first = self._blocks[-1]
            wanted = min(BLOCK_SERIES, series - self._series + used)
            if len(rows) < wanted:
                room = min(BLOCK_SERIES, room_for(wanted, len(rows)))
                self._blocks[-1] = (_longer(rows, room), _longer(first, room))
            self._series += wanted - used

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        for number, (rows, first) in enumerate(self._blocks):
            begin = number * BLOCK_SERIES
            own = series[(series >= begin) & (series < begin + len(rows))] - begin
            rows[own] = 0.0
            first[own] = 0.0

    def blocks(self, series: int) -> Iterator[RowBlock]:
        """Yield the state of the first ``series`` series, for which there is room, by blocks."""
        for number, (rows, first) in enumerate(self._blocks):
            begin = number * BLOCK_SERIES
            if begin < series:
                yield RowBlock(begin, min(series, begin + BLOCK_SERIES), rows, first)


def _longer(entries: NDArray[_Kind], room: int) -> NDArray[_Kind]:
    # Zeroed memory is not resident before it is written to: spare room costs nothing.
    longer: NDArray[Any] = np.zeros((room, *entries.shape[1:]), dtype=entries.dtype)
    longer[: len(entries)] = entries
    return longer
