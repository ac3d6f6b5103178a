"""Nodes that did not answer lately: others are asked first, until they are tried again."""

from __future__ import annotations

import threading

from collectors.clock import Clock

_DOUBT_MS = 3_000


class Suspects:
    """Whom this node could not reach; safe for many threads.

    Args:
        clock: The present.
        doubt_ms: After how long one is tried again.
    """

    def __init__(self, clock: Clock, doubt_ms: int = _DOUBT_MS) -> None:
        self._clock = clock
        self._doubt_ms = doubt_ms
        self._lock = threading.Lock()
        self._until_ms: dict[str, int] = {}

    def note(self, name: str) -> None:
        """Doubt a node for a while."""
        with self._lock:
            self._until_ms[name] = self._clock.now_ms() + self._doubt_ms

    def clear(self, name: str) -> None:
        """Trust a node: it has answered."""
        if name in self._until_ms:
            with self._lock:
                self._until_ms.pop(name, None)

    def current(self) -> set[str]:
        """Return whom to ask last."""
        now_ms = self._clock.now_ms()
        with self._lock:
            return {name for name, until in self._until_ms.items() if until > now_ms}
