"""The thread that writes checkpoints when asked, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from collectors.errors import StorageError

_LOG = structlog.get_logger(__name__)


class Checkpointer:
    """Runs ``work`` in its own thread whenever :meth:`request` was called since the last run.

    Args:
        work: Writes one checkpoint.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-checkpoint", daemon=True)
        self._thread.start()

    def request(self) -> None:
        """Ask for a checkpoint; returns at once."""
        self._wanted.set()

    def close(self) -> None:
        """End the thread after what it is doing."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:
                return
            try:
                self._work()
            except StorageError as error:
                # The log keeps everything that the checkpoint would have held.
                _LOG.error("checkpoint failed", reason=error.message)
