"""A region is evacuated under traffic: scaled up, proxied, steered, and returned to."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.trace import SpanKind

from demo_stack.chassis.disturbance import Disturbance
from demo_stack.in_memory import steady
from demo_stack.in_memory.platform import MemoryPlatform
from demo_stack.in_memory.readings import starts
from demo_stack.supervisor.deployment.failover import Failover
from demo_stack.viewers.arrivals import Visitor
from demo_stack.world.layout import Device

REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]
LEFT = "eu-west-1"
WINDOW = 4
OVERLAP = 4


class Kong:
    """Three regions with steady traffic: one session of each begins at every tick."""

    def __init__(self, dns_ttl_s: float = 6.0) -> None:
        self.platform = MemoryPlatform(REGIONS)
        self.failover = Failover(self.platform, dns_ttl_s)
        self.shares: list[float] = []
        self._good = self._asked = self._visitors = 0

    async def tick(self) -> None:
        for region in REGIONS:
            self._visitors += 1
            visitor = Visitor(  # everybody comes once: plans allow few streams at a time
                viewer=f"v{self._visitors:04d}", device=Device.TV, region=region, session="s"
            )
            self.platform.crowd.begin(region, visitor)
        self._asked += len(REGIONS)
        await asyncio.sleep(0.02)
        under_way = self.platform.crowd._sessions
        while len(under_way) > OVERLAP:  # sessions of several ticks overlap, but no queue grows
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def end_of_phase(self) -> None:
        """Let every session end; note the share that got its stream."""
        await self.platform.crowd.settled()
        good = starts([self.platform.viewers_pipe])["success"]
        self.shares.append((good - self._good) / self._asked)
        self._good, self._asked = good, 0

    def served(self, region: str, path: str) -> int:
        """Return how many requests the services of a region answered on a path."""
        return sum(
            span.name == f"POST {path}" and span.kind is SpanKind.SERVER
            for span in self.platform.spans[region].get_finished_spans()
        )

    def failures(self) -> int:
        return starts([self.platform.viewers_pipe])["failure"]


@pytest.fixture(scope="module")
def told() -> tuple[Kong, dict[str, int]]:
    """What happened in an evacuation and a return, both under traffic."""
    return steady.run(_evacuate_and_return())


async def _evacuate_and_return() -> tuple[Kong, dict[str, int]]:
    kong = Kong()
    await kong.platform.start()
    try:
        for _ in range(WINDOW):
            await kong.tick()
        evacuating = asyncio.create_task(kong.failover.evacuate(LEFT))
        for _ in range(WINDOW):
            await kong.tick()
        await evacuating
        scaled = len(kong.platform.regions["us-east-1"].fleet.running("playback"))
        await kong.end_of_phase()
        at_home = kong.served(LEFT, "/starts")
        passed_on = kong.served(LEFT, "/playback") - at_home
        for _ in range(WINDOW):
            await kong.tick()
        await kong.end_of_phase()
        during = kong.served(LEFT, "/starts") - at_home
        returning = asyncio.create_task(kong.failover.take_back(LEFT))
        for _ in range(WINDOW):
            await kong.tick()
        await returning
        await kong.platform.steer(LEFT, [LEFT])  # DNS has been heard of everywhere
        for _ in range(WINDOW):
            await kong.tick()
        await kong.end_of_phase()
        shrunk = len(kong.platform.regions["us-east-1"].fleet.running("playback"))
        back = kong.served(LEFT, "/starts") - at_home - during
        return kong, {
            "scaled": scaled, "during": during, "passed_on": passed_on, "shrunk": shrunk,
            "back": back,
        }  # fmt: skip
    finally:
        await kong.platform.stop()


def test_global_starts_stay_within_five_percent(told: tuple[Kong, dict[str, int]]) -> None:
    """An evacuation that viewers notice is an outage of its own."""
    kong, _ = told
    assert kong.failures() == 0
    assert len(kong.shares) == 3  # while it is evacuated, afterwards, while and after it returns
    assert all(share >= 0.95 for share in kong.shares)


def test_the_region_that_is_left_passes_on_and_serves_nothing_itself(
    told: tuple[Kong, dict[str, int]],
) -> None:
    """A region that still serves is not evacuated."""
    _, seen = told
    assert seen["during"] == 0
    assert seen["passed_on"] > 0  # DNS was not heard of by everybody


def test_saviors_scale_up_first_and_shrink_last_and_the_viewers_come_home(
    told: tuple[Kong, dict[str, int]],
) -> None:
    """Shrinking before the viewers are home overloads the rest."""
    _, seen = told
    assert (seen["scaled"], seen["shrunk"]) == (3, 2)
    assert seen["back"] >= WINDOW


def test_a_dead_region_is_left_at_once_for_it_can_pass_nothing_on() -> None:
    """Waiting for DNS at a dead region loses every start."""

    async def story() -> tuple[int, list[float]]:
        kong = Kong()
        await kong.platform.start()
        await kong.platform.kill_region(LEFT)
        await kong.failover.evacuate(LEFT)
        for _ in range(2):
            await kong.tick()
        await kong.end_of_phase()
        failures = kong.failures()
        await kong.platform.stop()
        return failures, kong.shares

    assert steady.run(story()) == (0, [1.0])


def test_a_region_with_broken_services_is_rescued_by_its_gateways_alone() -> None:
    """Passing on must need nothing behind the gateways."""

    async def story() -> tuple[int, int]:
        kong = Kong(dns_ttl_s=3_600.0)  # nobody hears of the change
        await kong.platform.start()
        points = kong.platform.regions[LEFT].points
        for point in ("playback.start", "catalogue.request", "recommendations.request"):
            points.disturb(point, Disturbance(point=point, error_ratio=1.0))
        await kong.tick()
        await kong.end_of_phase()
        broken = kong.failures()
        await kong.failover.evacuate(LEFT)
        for _ in range(3):
            await kong.tick()
        await kong.end_of_phase()
        failures = kong.failures() - broken
        await kong.platform.stop()
        return broken, failures

    broken, failures = steady.run(story())
    assert broken == 1
    assert failures == 0
