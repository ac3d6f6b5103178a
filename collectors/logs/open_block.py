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


class ClosedBlock:
    """Lines that nothing is added to any more; a block once somebody has made it one.

    Attributes:
        size: Bytes that they take; of the block once it is sealed and the owner has noted it.
    """

    def __init__(
        self,
        batches: list[LogBatch],
        patterns: list[NDArray[np.int32]],
        first: int,
        size: int,
    ) -> None:
        self._parts = (batches, patterns, first)
        self._lines = sum(map(len, batches))
        self._making = threading.Lock()
        self._block: Block | None = None
        self.size = size

    def __len__(self) -> int:
        """Return the number of lines."""
        return self._lines

    @property
    def block(self) -> Block:
        """The lines as a block, made when it is asked for the first time."""
        with self._making:
            if self._block is None:
                batches, patterns, first = self._parts
                self._block = Block(batches, np.concatenate(patterns), first)
                self._parts = ([], [], first)
            return self._block


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

    def close(self) -> ClosedBlock:
        """Return the lines, and begin anew."""
        closed = ClosedBlock(self._batches, self._patterns, self._first, self.size)
        self._first += self.lines
        self._batches, self._patterns = [], []
        self.lines = self.size = 0
        return closed

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
