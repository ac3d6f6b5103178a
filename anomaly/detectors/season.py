"""The usual value of each series at each phase of its season."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.memory import lengthened, room_for

SeasonArray = NDArray[np.float32]

BLOCK_SERIES = 65_536


class SeasonBlock(NamedTuple):
    """The season of some series: ``first`` up to and without ``last``.

    ``usual`` has shape (phases, room), series from ``first`` on; NaN where nothing was learned.
    """

    first: int
    last: int
    usual: SeasonArray


class Season:
    """Numbers by phase and series, NaN where nothing was learned.

    They lie phase by phase, so that a step reads one row and not a number from each of a million;
    and in blocks of series, so that room for a few more never means copying them all.

    Args:
        period_steps: Phases.
    """

    def __init__(self, period_steps: int) -> None:
        self._period_steps = period_steps
        self._blocks: list[SeasonArray] = []
        self._series = 0

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        while self._series < series:
            used = self._series % BLOCK_SERIES
            if used == 0:
                self._blocks.append(np.zeros((self._period_steps, 0), dtype=np.float32))
            block = self._blocks[-1]
            wanted = min(BLOCK_SERIES, series - self._series + used)
            if block.shape[1] < wanted:
                room = min(BLOCK_SERIES, room_for(wanted, block.shape[1]))
                block = self._blocks[-1] = lengthened(block, room)
            block[:, used:wanted] = np.nan
            self._series += wanted - used

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget what was learned of some series."""
        for number, block in enumerate(self._blocks):
            first = number * BLOCK_SERIES
            own = series[(series >= first) & (series < first + block.shape[1])] - first
            block[:, own] = np.nan

    def blocks(self, series: int) -> Iterator[SeasonBlock]:
        """Yield the numbers of the first ``series`` series, for which there is room, by blocks."""
        for number, block in enumerate(self._blocks):
            first = number * BLOCK_SERIES
            if first < series:
                yield SeasonBlock(first, min(series, first + BLOCK_SERIES), block)
