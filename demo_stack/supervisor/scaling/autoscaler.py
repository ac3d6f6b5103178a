"""The scheduler's own hand: measures, decides, scales, and lets it be announced."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from demo_stack.chassis.errors import PlatformError
from demo_stack.supervisor.scaling.policy import ScalingPolicy, ServiceScaler
from demo_stack.world.layout import Service

HOURS = 24
STARTS_PER_INSTANCE = 1.0
"""Times the starts a second that a region is built for: what one instance of playback can do."""

REQUESTS_PER_START = {Service.PLAYBACK: 3.0, Service.RECOMMENDATIONS: 1.0}

_log = logging.getLogger(__name__)


class Scheduler(Protocol):
    """Who runs instances."""

    async def load(self, region: str) -> Mapping[str, tuple[int, int]]:
        """Return instances and requests since they started, by service.

        Raises:
            PlatformError: The region does not answer.
        """
        ...

    async def scale(self, region: str, service: str, instances: int) -> None:
        """Start or stop instances until there are so many; announce it.

        Raises:
            PlatformError: It is not possible.
        """
        ...


def policies(sps: float) -> dict[str, ScalingPolicy]:
    """Return how the services of a region scale that is built for ``sps`` starts a second."""
    return {
        service.value: ScalingPolicy(
            per_instance=sps * STARTS_PER_INSTANCE * requests, min_instances=2
        )
        for service, requests in REQUESTS_PER_START.items()
    }


class Autoscaler:
    """Scales the services of some regions, a step every hour of the day.

    Args:
        scheduler: Runs the instances.
        regions: Whose.
        by_service: How each service scales; the others stay as they are.
        day_s: Length of a day, in seconds.
        held: Says when its hand is held: what is played then is to end by what people do.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        regions: Sequence[str],
        by_service: Mapping[str, ScalingPolicy],
        day_s: float,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._scheduler = scheduler
        self._held = held
        self._step_s = day_s / HOURS
        self._scalers = {
            (region, service): ServiceScaler(policy, HOURS)
            for region in regions
            for service, policy in by_service.items()
        }
        self._before: Counter[tuple[str, str]] = Counter()
        self._measured: set[str] = set()

    async def run(self) -> None:
        """Take a step again and again."""
        while True:
            await asyncio.sleep(self._step_s)
            await self.step()

    async def step(self) -> None:
        """Measure every region and scale what needs it; a region that is away is left alone.

        While its hand is held it neither scales nor learns: what it would see is no rhythm.
        """
        if self._held():
            self._measured.clear()
            return
        for region in dict.fromkeys(region for region, _ in self._scalers):
            try:
                await self._step(region)
            except PlatformError as error:
                self._measured.discard(region)
                _log.info("%s is not scaled: %s", region, error)

    async def _step(self, region: str) -> None:
        load = await self._scheduler.load(region)
        first = region not in self._measured
        self._measured.add(region)
        for (where, service), scaler in self._scalers.items():
            if where != region or service not in load:
                continue
            running, total = load[service]
            before, self._before[region, service] = self._before[region, service], total
            if first:
                continue  # one total says nothing of a rate
            # Totals of instances that ended are gone: less than before means no less traffic.
            per_s = max(0, total - before) / self._step_s
            wanted = scaler.decide(running, per_s)
            if wanted != running:
                await self._scheduler.scale(region, service, wanted)
