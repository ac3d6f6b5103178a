"""A thread that does one thing whenever it is woken, and every so often anyway."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


class Worker:
    """Runs ``work`` in a thread of its own until stopped; an error is logged, not fatal.

    Args:
        name: Of the thread.
        work: What to do; called without arguments.
        period_s: Longest pause between two calls, seconds.
    """

    def __init__(self, name: str, work: Callable[[], object], *, period_s: float) -> None:
        self._work = work
        self._period_s = period_s
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Let it work now."""
        self._wake.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Let it finish what it does and end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._period_s)
            self._wake.clear()
            try:
                self._work()
            except Exception:
                # The next call may do better; a thread that died in silence would page nobody.
                log.exception("work failed", worker=self._thread.name)
