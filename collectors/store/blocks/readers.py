"""Who reads pages, so that none is used again for other values meanwhile.

Pages that were given up wait until every reader who might see them is gone. Readers overlap: where
one query follows the other without a gap there is always one. So what waits is marked from time to
time, with the readers that there are; when these are gone, it is free, whoever came since.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from collectors.store.blocks.blocks import HotBlocks


class Readers:
    """Counts the readers of blocks.

    Args:
        blocks: All whose pages are read.
        lock: The store's.
    """

    def __init__(self, blocks: Sequence[HotBlocks], lock: threading.Lock) -> None:
        self._blocks = blocks
        self._store_lock = lock
        self._next = 0
        self._active: set[int] = set()
        self._marked: tuple[int, list[list[int]]] | None = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold back the reuse of pages that are there now."""
        with self._store_lock:
            ticket = self._next
            self._next += 1
            self._active.add(ticket)
        try:
            yield
        finally:
            with self._store_lock:
                self._active.discard(ticket)

    def recycle(self) -> None:
        """Make pages that nobody can be reading available again; the store's lock held."""
        if not self._active:
            self._marked = None
            for blocks in self._blocks:
                blocks.recycle()
        elif self._marked is None:
            self._marked = self._next, [blocks.waiting() for blocks in self._blocks]
        elif min(self._active) >= self._marked[0]:
            for blocks, waiting in zip(self._blocks, self._marked[1], strict=True):
                blocks.recycle(waiting)
            self._marked = None
