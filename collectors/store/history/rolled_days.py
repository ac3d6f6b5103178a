"""Which days rollups answer for, also those that another process rolled up."""

from __future__ import annotations

import threading

import numpy as np

from collectors.history.engine import HistoryEngine
from collectors.store.history.fetch_sql import newest_rollup_sql, rolled_days_sql

DAY_MS = 86_400_000


class RolledDays:
    """Knows the days that are rolled up; safe for threads.

    A directory belongs to one process, which asks once. On a server others may roll up as well:
    what they have done is asked for where it matters.

    Args:
        engine: The connection.
    """

    def __init__(self, engine: HistoryEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._days: set[int] | None = None

    def with_samples(self) -> list[int]:
        """Return the starts of the days that have samples, ascending."""
        names = self._engine.partitions("metric_samples")
        return [int(np.datetime64(f"{n[:4]}-{n[4:6]}-{n[6:]}", "ms").astype(int)) for n in names]

    def known(self) -> set[int]:
        """Return the starts of the days that rollups answer for, as far as this process knows."""
        with self._lock:
            if self._days is None:
                self._days = self._found()
            return set(self._days)

    def now(self) -> set[int]:
        """Return the starts of the days that rollups answer for."""
        if not self._engine.embedded:
            found = self._found()
            with self._lock:
                self._days = found
        return self.known()

    def samples_from_ms(self) -> int:
        """Return the time from which on no day is rolled up."""
        from_ms = max(self.known(), default=-DAY_MS) + DAY_MS
        if self._engine.embedded:
            return from_ms
        ((newest_ms,),) = self._engine.columns(newest_rollup_sql(self._engine.database))
        return max(from_ms, (int(newest_ms) - 1) // DAY_MS * DAY_MS + DAY_MS)

    def add(self, day_ms: int) -> None:
        """Take note that a day is rolled up."""
        days = self.known()
        with self._lock:
            self._days = days | {day_ms}

    def forget_before(self, time_ms: int) -> None:
        """Forget the days that ended by a time: their rollups are dropped."""
        days = self.known()
        with self._lock:
            self._days = {day for day in days if day + DAY_MS > time_ms}

    def _found(self) -> set[int]:
        found = self._engine.columns(rolled_days_sql(self._engine.database))
        rolled = {int(day) * DAY_MS for day in found[0]} if found else set()
        # A day that was being rolled up when the process died still has all of its samples.
        return rolled - set(self.with_samples())
