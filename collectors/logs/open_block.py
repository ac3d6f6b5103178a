"""The newest lines, until there are enough of them for a block of their own."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from collectors.log_batch import LogBatch
from collectors.logs.block import BLOCK_LINES, Block

_BLOCK_BYTES = 8 << 20
# What the interpreter needs for a line besides its texts, about.
_LINE_BYTES = 400


class OpenBlock:
    """Batches that came since the last block; its owner guards all but :meth:`view`."""

    def __init__(self) -> None:
        self._batches: list[LogBatch] = []
        self._patterns: list[NDArray[np.int32]] = []
        self._viewing = threading.Lock()
        self._view: Block | None = None
        self._first = 0
        self.lines = 0
        self.size = 0

    def has_room(self, batch: LogBatch) -> bool:
        """Return whether a batch still fits."""
        return self.lines + len(batch) <= BLOCK_LINES and self.size < _BLOCK_BYTES

    def add(self, batch: LogBatch, patterns: NDArray[np.int32]) -> None:
        """Add lines with the numbers of their patterns."""
        self._batches.append(batch)
        self._patterns.append(patterns)
        self.lines += len(batch)
        texts = sum(map(len, batch.bodies)) + sum(map(len, batch.attributes))
        self.size += texts + _LINE_BYTES * len(batch)

    def seal(self) -> Block:
        """Return the lines as a block, and begin anew."""
        block = Block(self._batches, np.concatenate(self._patterns), self._first).sealed()
        self._first += self.lines
        self._batches, self._patterns = [], []
        self.lines = self.size = 0
        return block

    def taken(self) -> tuple[list[LogBatch], list[NDArray[np.int32]], int]:
        """Return what is held now, for :meth:`view`."""
        return list(self._batches), list(self._patterns), self._first

    def view(self, taken: tuple[list[LogBatch], list[NDArray[np.int32]], int]) -> Block | None:
        """Return what was taken as a block; the same one while nothing came in between."""
        batches, patterns, first = taken
        if not batches:
            return None
        lines = sum(map(len, batches))
        with self._viewing:
            held = self._view
            if held is None or (held.first, len(held)) != (first, lines):
                held = self._view = Block(batches, np.concatenate(patterns), first)
            return held
