"""Collection of reference cycles in short pauses.

The interpreter's oldest generation is searched whole once it has grown by a quarter. Half a million
spans in memory are some two million objects: every few minutes the process stood still for seconds,
long enough for exporters to give up. So the oldest generation is not searched by itself. Once a
minute what is new is searched and whatever survives is set aside ("frozen"), where it is freed as
ever when nothing refers to it; only a cycle that dies later waits, until everything is searched.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_NEW_MS = 60_000
_EVERYTHING_MS = 6 * 3_600_000
_NEVER = 1 << 30


class CycleCollector(Protocol):
    """What is used of the module :mod:`gc`."""

    def collect(self) -> int:
        """Search what is not frozen; return how many objects were freed."""
        ...

    def freeze(self) -> None:
        """Set everything that is alive aside."""
        ...

    def unfreeze(self) -> None:
        """Put everything back."""
        ...

    def get_threshold(self) -> tuple[int, int, int]:
        """Return when each generation is searched."""
        ...

    def set_threshold(self, young: int, middle: int, old: int, /) -> None:
        """Say when each generation is searched."""
        ...


@contextmanager
def uncollected(collector: CycleCollector = gc) -> Iterator[None]:
    """Search for no cycles while everything is imported, nor in what was: nothing of it dies."""
    before = collector.get_threshold()
    collector.set_threshold(0, *before[1:])
    try:
        yield
    finally:
        collector.freeze()
        collector.set_threshold(*before)


class Garbage:
    """Decides when to search for what.

    Args:
        now_ms: The present. What exists now is searched and set aside at once.
        collector: The interpreter's own.
    """

    def __init__(self, now_ms: int, collector: CycleCollector = gc) -> None:
        self._collector = collector
        self._before = collector.get_threshold()
        self._new_ms = self._everything_ms = now_ms
        collector.set_threshold(*self._before[:2], _NEVER)
        self._set_aside()

    def tick(self, now_ms: int) -> None:
        """Do what is due at ``now_ms``."""
        if now_ms - self._new_ms < _NEW_MS:
            return
        self._new_ms = now_ms
        if now_ms - self._everything_ms >= _EVERYTHING_MS:
            self._everything_ms = now_ms
            self._collector.unfreeze()
        self._set_aside()

    def end(self) -> None:
        """Leave things as they were found."""
        self._collector.unfreeze()
        self._collector.set_threshold(*self._before)

    def _set_aside(self) -> None:
        self._collector.collect()
        self._collector.freeze()
