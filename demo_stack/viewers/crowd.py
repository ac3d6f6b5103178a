"""All viewers: sessions begin as the arrivals say, each on its own task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import ServiceClient
from demo_stack.chassis.context import Sleep
from demo_stack.chassis.errors import LayoutError
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.network import Network
from demo_stack.chassis.steering import SiteRank, SiteSteering
from demo_stack.chassis.telemetry import TelemetryPipe
from demo_stack.viewers.arrivals import Arrivals, Visitor
from demo_stack.viewers.markets import markets_of
from demo_stack.viewers.pulse import Pulse
from demo_stack.viewers.rhythm import Rhythm
from demo_stack.viewers.session import Session, SessionRoom
from demo_stack.world.layout import DAY_S, Service

MAX_SESSIONS = 1_000
"""Sessions at once; an arrival above is a failed start, as for a platform that is full."""

Routes = Mapping[str, Mapping[str, Sequence[str]]]
"""Region to service (gateway, edge) to base URLs."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What DNS answers, and what it answered before."""

    now: Sequence[str]
    before: Sequence[str] = ()
    since_s: float = 0.0
    ttl_s: float = 0.0

    def resolve(self, rng: Random) -> str:
        remembered = self.before and self.ttl_s and self._age() < rng.random()
        return rng.choice(self.before if remembered else self.now)

    def _age(self) -> float:
        """Return the share of the time to live that has passed."""
        return (time.monotonic() - self.since_s) / self.ttl_s


class Crowd:
    """Viewers of several regions.

    Args:
        network: Reaches the regions.
        pipe: Where the viewers' telemetry goes.
        seed: Makes the crowd repeatable.
        sleep: How viewers take their time; takes seconds.
    """

    def __init__(
        self, network: Network, pipe: TelemetryPipe, seed: int, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._seed = seed
        self._sleep = sleep
        self._choices = Random(f"{seed}/steering")
        self._transport = network.transport()
        self._telemetry = pipe.telemetry(Identity(service=Service.VIEWERS))
        self._pulse = Pulse(self._telemetry)
        self._balancers: dict[str, Balancer] = {}
        self._sites: dict[str, SiteSteering] = {}
        self._arrivals: dict[str, Arrivals] = {}
        self._rooms: dict[str, SessionRoom] = {}
        self._served_by: dict[str, _Answer] = {}
        self._arriving: list[asyncio.Task[None]] = []
        self._sessions: set[asyncio.Task[None]] = set()

    def populate(self, regions: Sequence[str], rate: float, day_s: float = DAY_S) -> None:
        """Let viewers arrive in ``regions`` at ``rate`` sessions a second each."""
        markets = markets_of(regions)
        for place, region in enumerate(regions):
            rng = Random(f"{self._seed}/viewers/{region}")
            rhythm = Rhythm(offset=place / len(regions) / 2, day_s=day_s)
            sites = SiteSteering(Random(f"{self._seed}/sites/{region}"))
            self._sites[region] = sites
            self._balancers[region] = Balancer(rng, steered={Service.EDGE: sites})
            self._arrivals[region] = Arrivals(region, rate, rhythm, rng, markets[region])
            self._served_by[region] = _Answer([region])
            self._rooms[region] = SessionRoom(
                client=ServiceClient(
                    self._telemetry,
                    self._transport,
                    self._balancers[region],
                    attributes={"cloud.region": region},
                ),
                tracer=self._telemetry.tracer,
                pulse=self._pulse,
                rng=rng,
                sleep=self._sleep,
            )

    def route(self, routes: Routes) -> None:
        """Learn where the services of regions can be reached from now on.

        Raises:
            LayoutError: There is no such region.
        """
        for region, services in routes.items():
            for service, addresses in services.items():
                self._known(region)
                self._balancers[region].set(service, addresses)

    def steer(self, home: str, to: Sequence[str], ttl_s: float = 0.0) -> None:
        """Let viewers of ``home`` be served by these regions from their next session on.

        Args:
            home: Whose viewers.
            to: Who serves them.
            ttl_s: How long resolvers remember the old answer: until then, fewer and fewer
                sessions begin where they would have before.

        Raises:
            LayoutError: There is no such region, or none is named.
        """
        for region in (home, *to):
            self._known(region)
        if not to:
            raise LayoutError(f"viewers of {home!r} need a region to go to")
        before = self._served_by[home].now
        self._served_by[home] = _Answer(list(to), before, time.monotonic(), ttl_s)

    def sites(self) -> dict[str, list[SiteRank]]:
        """Return how the edge sites of every region stand, the most attractive first."""
        return {region: steering.ranked() for region, steering in self._sites.items()}

    def demand(self, region: str, factor: float) -> None:
        """Multiply the arrivals of a region by ``factor`` from the next one on."""
        self._known(region)
        self._arrivals[region].demand = factor

    def open(self) -> None:
        """Let them come."""
        self._arriving = [asyncio.create_task(self._arrive(one)) for one in self._arrivals.values()]

    async def settled(self) -> None:
        """Wait until every session under way has ended."""
        while self._sessions:
            await asyncio.wait(self._sessions)

    async def close(self) -> None:
        """Send everybody home."""
        tasks = [*self._arriving, *self._sessions]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._transport.aclose()

    async def _arrive(self, arrivals: Arrivals) -> None:
        started = due = time.monotonic()
        while True:
            due += arrivals.gap_s(due - started)
            # Without a floor, a pause of the machine would be followed by a burst.
            due = max(due, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.begin(arrivals.region)

    def begin(self, home: str, visitor: Visitor | None = None) -> None:
        """Let one more viewer of ``home`` begin a session: this one, or whoever comes."""
        arrivals = self._arrivals[home]
        visitor = visitor or arrivals.visitor()
        if len(self._sessions) >= MAX_SESSIONS:
            self._pulse.failed(visitor)
            return
        # One region serves a whole session: codes and tokens in use are known only there.
        region = self._served_by[arrivals.region].resolve(self._choices)
        session = Session(visitor, self._rooms[region])
        task = asyncio.create_task(session.run())
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)

    def _known(self, region: str) -> None:
        if region not in self._arrivals:
            raise LayoutError(f"no region {region!r}; there are: {', '.join(self._arrivals)}")
