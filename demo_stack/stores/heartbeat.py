"""How far each replica is behind, measured as operators of databases do: by a row that beats."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from demo_stack.chassis.telemetry import Telemetry
from demo_stack.stores.replicated import Consistency, ReplicatedStore, UnavailableError

KEY = "heartbeat"
EVERY_S = 0.5


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class ReplicaHeartbeat:
    """Writes the time now and then, and looks which time each replica knows.

    Args:
        store: Whose replicas.
        telemetry: Of the instance that measures.
        now_ms: The present, epoch milliseconds.
    """

    def __init__(
        self, store: ReplicatedStore, telemetry: Telemetry, now_ms: Callable[[], int] = _now_ms
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._lag = telemetry.meter.create_gauge(
            "db.replica.lag", unit="s", description="Age of what a replica learnt last."
        )
        for name in store.names:
            self._report(name, 0)

    async def beat(self) -> None:
        """Write the time, then report how old what each replica knows of it is."""
        now_ms = self._now_ms()
        with suppress(UnavailableError):  # none is up: all of them grow old
            self._store.write(KEY, None, time_ms=now_ms, level=Consistency.ONE)
        for name in self._store.names:
            known = self._store.replica(name).rows.get(KEY)
            if known is not None:
                self._report(name, now_ms - known.time_ms)

    def _report(self, name: str, lag_ms: int) -> None:
        where = {"db.system.name": "cassandra", "db.replica": name}
        self._lag.set(max(0, lag_ms) / 1_000, where)
