"""Changes, journaled before they are acknowledged, found by time."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson
import structlog

from collectors.changes.change import Change, told_again
from collectors.errors import DecodeError
from collectors.host.journal import Journal

CHANGES = 0x43
"""Kind of the journal's records."""

MAX_KEPT = 100_000
MAX_DIFFS = 1_000

_log = structlog.get_logger(__name__)


class ChangeStore:
    """The newest changes in memory; safe for many writing and reading threads.

    Args:
        journal: Where changes are logged before they are acknowledged; replayed on opening.
        max_changes: How many are kept; the oldest go first.
    """

    def __init__(self, journal: Journal, *, max_changes: int = MAX_KEPT) -> None:
        self._journal = journal
        self._max_changes = max_changes
        self._lock = threading.Lock()
        self._by_id: dict[str, Change] = {}
        self._order: list[tuple[int, str]] = []
        self._with_diff: deque[str] = deque()
        for record in journal.replay(CHANGES):
            self._keep(_unpacked(record))

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, changes: Iterable[Change]) -> int:
        """Keep what is not known yet; return how many changes that concerned.

        The first announcement of an id stands; a later one may add when the change was done.

        Raises:
            StorageError: The journal failed; nothing was kept.
        """
        with self._lock:
            new: dict[str, Change] = {}
            for change in changes:
                known = new.get(change.id) or self._by_id.get(change.id)
                told = told_again(known, change) if known else change
                if told is not known:
                    new[change.id] = told
            if new:
                self._journal.append(CHANGES, orjson.dumps([c.to_record() for c in new.values()]))
                self._keep(new.values())
        return len(new)

    def between(self, start_ms: int, end_ms: int) -> list[Change]:
        """Return the changes from ``start_ms`` to ``end_ms``, both included, oldest first."""
        with self._lock:
            first = bisect_left(self._order, (start_ms, ""))
            last = bisect_left(self._order, (end_ms + 1, ""))
            return [self._by_id[change_id] for _, change_id in self._order[first:last]]

    def _keep(self, changes: Iterable[Change]) -> None:
        for change in changes:
            known = self._by_id.get(change.id)
            self._by_id[change.id] = told_again(known, change) if known else change
            if known is None:
                insort(self._order, (change.time_ms, change.id))
                if change.diff:
                    self._with_diff.append(change.id)
        self._drop_diffs()
        spare = len(self._order) - self._max_changes
        if spare > 0:
            for _, change_id in self._order[:spare]:
                del self._by_id[change_id]
            del self._order[:spare]

    def _drop_diffs(self) -> None:
        """Keep the diffs that were told of last."""
        while len(self._with_diff) > MAX_DIFFS:
            change = self._by_id.get(self._with_diff.popleft())
            if change is not None:
                self._by_id[change.id] = replace(change, diff="")


def _unpacked(record: bytes) -> Sequence[Change]:
    try:
        return [Change.from_json(fields) for fields in orjson.loads(record)]
    except (orjson.JSONDecodeError, DecodeError, TypeError, AttributeError) as error:
        _log.warning("journal record of changes skipped", reason=str(error))
        return []
