"""A thread that does one kind of work when asked, or at intervals, one run at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from collectors.errors import TocsinError

_REPEAT_S = 60.0
_MAX_PAUSE_S = 300.0
_log = structlog.get_logger(__name__)


class Background:
    """Runs ``work`` in its own thread whenever :meth:`request` was called since the last run.

    Nothing runs before :meth:`start`. What is requested before is done then.

    Args:
        name: Of the thread, and of the work in log messages.
        work: One run; an error is logged and the next run tries again.
        interval_s: Also run this often; None only on request.
        last_run: Run once more when closed, for what was handed over just before.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        interval_s: float | None = None,
        last_run: bool = False,
    ) -> None:
        self._name = name
        self._work = work
        self._interval_s = interval_s
        self._last_run = last_run
        self._said = ("", 0.0)
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._repeat, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def request(self) -> None:
        """Ask for a run; returns at once."""
        self._wanted.set()

    def close(self, timeout_s: float | None = None) -> None:
        """End the thread after what it is doing; it may not have been started.

        Args:
            timeout_s: Wait no longer than this; the thread then ends on its own, or with the
                process. None waits for as long as it takes.
        """
        self._closing = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _repeat(self) -> None:
        while True:
            self._wanted.wait(self._interval_s)
            self._wanted.clear()
            if self._closing:
                break
            self._run()
        if self._last_run:
            self._run()

    def _run(self) -> None:
        try:
            self._work()
        except TocsinError as error:
            if self._is_news(error.message):
                _log.error("background work failed", work=self._name, reason=error.message)
        except Exception as error:  # noqa: BLE001 - a defect must not end all later runs
            if self._is_news(repr(error)):
                _log.exception("background work failed unexpectedly", work=self._name)

    def _is_news(self, reason: str) -> bool:
        """Whether a failure is worth a line: the same one over and over is told once a minute."""
        said, at_s = self._said
        now_s = time.monotonic()
        if said == reason and now_s - at_s < _REPEAT_S:
            return False
        self._said = reason, now_s
        return True


class Pause:
    """How long to leave what fails alone: twice as long after each failure."""

    def __init__(self, shortest_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._shortest_s = shortest_s
        self._now_s = now_s
        self._length_s = shortest_s
        self._until_s = 0.0

    def over(self) -> bool:
        """Return whether it is time to try again."""
        return self._now_s() >= self._until_s

    def extend(self) -> None:
        """Begin a pause, twice as long as the one before."""
        self._until_s = self._now_s() + self._length_s
        self._length_s = min(2 * self._length_s, _MAX_PAUSE_S)

    def end(self) -> None:
        """Note a success: the next pause is a short one."""
        self._length_s = self._shortest_s
