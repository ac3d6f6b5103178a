"""A thread that does one kind of work when asked, or at intervals, one run at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from collectors.errors import TocsinError

_log = structlog.get_logger(__name__)


class Background:
    """Runs ``work`` in its own thread whenever :meth:`request` was called since the last run.

    Args:
        name: Of the thread, and of the work in log messages.
        work: One run; an error is logged and the next run tries again.
        interval_s: Also run this often; None only on request.
    """

    def __init__(
        self, name: str, work: Callable[[], object], *, interval_s: float | None = None
    ) -> None:
        self._name = name
        self._work = work
        self._interval_s = interval_s
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Ask for a run; returns at once."""
        self._wanted.set()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait(self._interval_s)
            self._wanted.clear()
            if self._closing:
                return
            try:
                self._work()
            except TocsinError as error:
                _log.error("background work failed", work=self._name, reason=error.message)
            except Exception:  # noqa: BLE001 - a defect must not end all later runs
                _log.exception("background work failed unexpectedly", work=self._name)
