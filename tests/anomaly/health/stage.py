"""Services that serve and call each other, told as spans would tell it, and the rule over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anomaly.engine.engine import Engine
from anomaly.health.definition import HealthDefinition
from anomaly.health.rule import HealthRule
from anomaly.testing import FindingList
from collectors.clock import ManualClock
from collectors.model import Batch, Tags
from collectors.store.metric_store import MetricStore

STEP_MS = 10_000
START_MS = 1_700_000_000_000
LEARNED = 25
"""Steps after which everything is judged."""


class Told(NamedTuple):
    """What spans tell of one operation or edge: requests a second, mean seconds, share failing."""

    name: str
    failed_name: str
    tags: Tags
    rate: float
    seconds: float
    failing: float


def served(
    service: str,
    rate: float = 20.0,
    *,
    seconds: float = 0.1,
    failing: float = 0.0,
    operation: str = "GET /",
    region: str = "",
) -> Told:
    """Return what a service does."""
    tags = {"service": service, "operation": operation, "kind": "server"}
    tags |= {"region": region} if region else {}
    return Told("spans.served", "spans.failed", tags, rate, seconds, failing)


def called(
    caller: str, callee: str, rate: float = 20.0, *, seconds: float = 0.1, failing: float = 0.0
) -> Told:
    """Return what an edge carries."""
    tags = {"service": caller, "callee": callee}
    return Told("spans.called", "spans.callsFailed", tags, rate, seconds, failing)


class Stage:
    """A store that fills step by step, with an engine that watches it.

    Args:
        directory: Where the store is.
        seed: Of the noise.
        definition: What a red service means.
    """

    def __init__(
        self, directory: Path, seed: int = 1, definition: HealthDefinition | None = None
    ) -> None:
        self.clock = ManualClock(START_MS)
        self.definition = definition or HealthDefinition()
        self.store = MetricStore.open(
            directory, step_ms=STEP_MS, hot_window_ms=6 * 3_600_000, clock=self.clock
        )
        self.steps = 0
        self._rng = np.random.default_rng(seed)
        self.sink, self.engine = self.begin()

    def begin(self) -> tuple[FindingList, Engine]:
        """Return an engine that begins now, and who is told."""
        sink, rule = FindingList(), HealthRule(self.definition, STEP_MS)
        return sink, Engine(self.store, [rule], [sink], self.clock, STEP_MS)

    def run(self, steps: int, told: Sequence[Told] = (), more: Iterable[Batch] = ()) -> None:
        """Let steps pass in which this happens."""
        for _ in range(steps):
            self.steps += 1
            end_ms = START_MS + self.steps * STEP_MS
            self.clock.set_ms(end_ms + 500)
            rows = [row for one in told for row in self._rows(one)]
            if rows:
                self.store.write(batch_of(rows, end_ms))
            for batch in more:
                self.store.write(batch)
            self.engine.tick(end_ms)

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return how every service is, by name."""
        return {row["service"]: row for row in self.engine.rows("health")}

    def colours(self) -> dict[str, str]:
        """Return the colour of every service."""
        return {name: row["health"] for name, row in self.rows().items()}

    def reasons(self, service: str) -> str:
        """Return why a service has its colour."""
        return "; ".join(reason["text"] for reason in self.rows()[service]["reasons"])

    def _rows(self, one: Told) -> list[tuple[Tags, float]]:
        step_s = STEP_MS / 1_000
        requests = int(self._rng.poisson(one.rate * step_s))
        if not requests:
            return []
        failed = int(self._rng.binomial(requests, one.failing))
        took = float(self._rng.gamma(requests, one.seconds))
        gauge = {"atlas.dstype": "gauge"}
        count = {"name": one.name, **one.tags, "statistic": "count", **gauge}
        total = {"name": one.name, **one.tags, "statistic": "totalTime", **gauge}
        bad = {"name": one.failed_name, **one.tags, "statistic": "count", **gauge}
        rows: list[tuple[Tags, float]] = [(count, requests / step_s), (total, took / step_s)]
        return [*rows, (bad, failed / step_s)] if failed else rows


def batch_of(rows: Sequence[tuple[Tags, float]], end_ms: int) -> Batch:
    """Return gauges of one step as a batch."""
    return Batch(
        series=[tags for tags, _ in rows],
        series_index=np.arange(len(rows), dtype=np.int32),
        time_ms=np.full(len(rows), end_ms, dtype=np.int64),
        value=np.array([value for _, value in rows], dtype=np.float64),
    )
