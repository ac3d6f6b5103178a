"""The work queue on disk: survives its workers, and several of them may share it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from demo_stack.services.encoding.queue import WorkQueue


class QueueFile:
    """A queue that one process at a time may change.

    Args:
        path: The file; created when something is written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def peek(self) -> WorkQueue:
        """Return the queue as it is; a damaged file counts as an empty queue."""
        try:
            return WorkQueue.load(orjson.loads(self._path.read_bytes()))
        except (OSError, ValueError):
            return WorkQueue()

    @contextmanager
    def changing(self) -> Iterator[WorkQueue]:
        """Lend the queue; what was done to it is written at the end, unless that failed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            queue = self.peek()
            yield queue
            draft = self._path.with_suffix(".tmp")
            draft.write_bytes(orjson.dumps(queue.dump()))
            os.replace(draft, self._path)  # noqa: PTH105 - says what is meant
