"""A platform in memory on which every fault can be tried in no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from demo_stack.chaos.desk import ChaosDesk
from demo_stack.chaos.experiment import SCENARIOS_DIR, load_experiments
from demo_stack.chaos.injector import Injector
from demo_stack.chaos.truth import TruthLog
from demo_stack.in_memory.platform import MemoryPlatform
from demo_stack.supervisor.control.process import load_everything
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.performer import PlatformPerformer


@dataclass
class Planet:
    """A platform, what is done to it, and what it shows."""

    platform: MemoryPlatform
    injector: Injector
    performer: PlatformPerformer
    changes: ChangeLog
    waits: list[float] = field(default_factory=list)

    @property
    def desk(self) -> ChaosDesk:
        return ChaosDesk(self.injector, list(self.platform.regions), self.platform.healthy)

    def spans(self) -> list[ReadableSpan]:
        exporters = [self.platform.viewers_spans, *self.platform.spans.values()]
        return [span for exporter in exporters for span in exporter.get_finished_spans()]

    def forget(self) -> None:
        """Let what was measured so far not count any more."""
        self.waits.clear()
        for exporter in (self.platform.viewers_spans, *self.platform.spans.values()):
            exporter.clear()

    def points(self, metric: str) -> list[tuple[dict[str, object], float]]:
        """Return (attributes, value or count) of every point of a metric, of whomever."""
        pipes = [self.platform.viewers_pipe, *self.platform.pipes.values()]
        return [
            (
                {**resource.resource.attributes, **(point.attributes or {})},
                point.value if hasattr(point, "value") else point.count,
            )
            for pipe in pipes
            for resource in pipe.collect()
            for scope in resource.scope_metrics
            for one in scope.metrics
            if one.name == metric
            for point in one.data.data_points
        ]

    def failures(self) -> float:
        """Return how many starts have failed so far."""
        starts = self.points("stream.starts")
        return sum(count for tags, count in starts if tags["outcome"] == "failure")


OpenPlanet = Callable[..., AbstractAsyncContextManager[Planet]]


@pytest.fixture
def planet(tmp_path: Path) -> OpenPlanet:
    """Return what opens a platform in memory in some regions."""

    @asynccontextmanager
    async def opened(*regions: str) -> AsyncIterator[Planet]:
        waits: list[float] = []

        async def remember(seconds: float) -> None:
            waits.append(seconds)
            await asyncio.sleep(0)

        platform = MemoryPlatform(regions, sleep=remember)
        await platform.start()
        ticks = iter(range(1_000, 10_000_000))
        changes = ChangeLog(tmp_path / "changes.jsonl", lambda: next(ticks))
        performer = PlatformPerformer(platform, changes)
        truth = TruthLog(tmp_path / "truth.jsonl", lambda: next(ticks))
        scenarios = load_experiments(SCENARIOS_DIR)
        injector = Injector(load_everything(), performer, truth, scenarios)
        yield Planet(platform, injector, performer, changes, waits)
        await platform.stop()

    return opened
