"""Everything that breaks things on purpose, in one hand: injector, schedule, monkey."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from demo_stack.chaos.experiment import Experiment
from demo_stack.chaos.injector import Injector
from demo_stack.chaos.monkey import MonkeySettings
from demo_stack.chaos.monkey_runner import MonkeyRunner
from demo_stack.chaos.schedule import plan_schedule, playable
from demo_stack.chaos.scheduler import Scheduler
from demo_stack.chassis.errors import PlatformError

DAY_HOURS = 24.0
_OUTAGE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOrders:
    """What is to happen by itself once the platform is up.

    Attributes:
        scenario: A story to play, if any.
        schedule_seed: Seed of a schedule to play, None for none.
        schedule_hours: Its length in hours of the platform's day.
        monkey: What Chaos Monkey may do; nothing unless it is enabled.
        monkey_seed: Its coin.
        outage_url: Whom it asks whether an incident is open: ``{"incidents": [...]}`` as JSON.
    """

    scenario: str = ""
    schedule_seed: int | None = None
    schedule_hours: float = DAY_HOURS
    monkey: MonkeySettings = field(default_factory=MonkeySettings)
    monkey_seed: int = 1
    outage_url: str = ""


class ChaosDesk:
    """Starts and stops what was ordered.

    Args:
        injector: Faults, operations, scenarios.
        regions: The regions that there are.
        healthy: Says whether all of them are up.
    """

    def __init__(
        self, injector: Injector, regions: Collection[str], healthy: Callable[[], bool]
    ) -> None:
        self.injector = injector
        self.scheduler = Scheduler(injector, healthy=healthy, others=self._monkey_business)
        self._regions = regions
        self._monkey: MonkeyRunner | None = None
        self._living: asyncio.Task[None] | None = None

    def begin_schedule(self, seed: int, duration_s: float) -> dict[str, Any]:
        """Play the schedule of a seed in the background; return it.

        Raises:
            LayoutError: The duration is not possible.
            FaultStateError: A schedule is being played already.
        """
        self.scheduler.begin(plan_schedule(seed, self._deck(), duration_s))
        return self.scheduler.state()

    def release(self, monkey: MonkeyRunner) -> None:
        """Let the monkey live in the background."""
        self._monkey = monkey
        self._living = asyncio.create_task(monkey.run())

    async def halt(self) -> list[str]:
        """End the schedule, whatever is injected and every failure test; return what ended.

        Raises:
            PlatformError: Not everything could be undone; the rest has been.
        """
        ending = sorted(self.injector.busy)
        await self.scheduler.halt()
        try:
            await self.injector.halt_all()
        finally:
            await self._calm_all()
        return ending

    async def close(self) -> None:
        """End all of it without undoing anything: the platform itself ends."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)
        self.scheduler.abandon()
        await self.injector.abandon()

    async def _calm_all(self) -> None:
        """Also end what was set by single actions, where there is a region to set it in."""
        for region in self._regions:
            with contextlib.suppress(PlatformError):
                await self.injector.performer.perform("calm", {"region": region, "point": "all"})
                await self.injector.performer.perform("fit", {"region": region})

    def _deck(self) -> Sequence[Experiment]:
        # Whole stories are not dealt: they bring their own remediation and take minutes.
        scenarios = self.injector.scenarios
        known = [one for one in self.injector.experiments.values() if one.name not in scenarios]
        return playable(known, self._regions)

    def _monkey_business(self) -> frozenset[str]:
        return self._monkey.active if self._monkey else frozenset()


async def incident_is_open(url: str) -> bool:
    """Ask an incident store whether an incident is open.

    Raises:
        PlatformError: It can't be told.
    """
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=_OUTAGE_TIMEOUT_S) as http:
            answer = (await http.get(url)).raise_for_status().json()
        return bool(answer["incidents"])
    except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
        raise PlatformError(f"{url} does not say whether an incident is open: {error}") from error
