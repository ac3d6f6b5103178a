"""What faults do, as viewers and telemetry see it: measures, and the story that every fault plays.

One platform in memory for each fault: what is measured is quiet before, loud while the fault
lasts, and quiet again afterwards. What can be seen from outside is measured, not the switch.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, StatusCode

from demo_stack.chaos.experiment import Experiment, load_experiments
from demo_stack.chaos.truth import read_truth
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import origin, tags
from demo_stack.world.layout import Device

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet, Planet

FAULTS = load_experiments()
USUAL_BATCH = 20
"""The most events that a reader who keeps up takes at once."""

Measure = Callable[["Planet"], float]
Hook = Callable[["Planet", str], Awaitable[None]]


def failed(planet: Planet) -> float:
    """Return how many starts failed for viewers."""
    return planet.failures()


def errors(service: str) -> Measure:
    """Count requests that a service answered with an error."""

    def counted(planet: Planet) -> float:
        return sum(
            bool(
                span.kind is SpanKind.SERVER
                and span.status.status_code is StatusCode.ERROR
                and origin(span)["service.name"] == service
            )
            for span in planet.spans()
        )

    return counted


def unanswered(service: str) -> Measure:
    """Count calls of a service that failed without an answer."""

    def counted(planet: Planet) -> float:
        return sum(
            bool(
                span.kind is SpanKind.CLIENT
                and tags(span).get("error.type") == "ConnectError"
                and tags(span).get("service.peer.name") == service
            )
            for span in planet.spans()
        )

    return counted


def failing(name: str) -> Measure:
    """Count spans of a name that failed."""

    def counted(planet: Planet) -> float:
        found = [span for span in planet.spans() if span.name == name]
        return sum(span.status.status_code is StatusCode.ERROR for span in found)

    return counted


def waited(seconds: float) -> Measure:
    """Count waits of exactly so long: nothing but the fault waits so."""
    return lambda planet: planet.waits.count(seconds)


def leaked(planet: Planet) -> float:
    """Return the kilobytes that requests left behind."""
    (region,) = planet.platform.regions.values()
    return sum(map(len, region.points._leaked)) / 1_024


def both(*measures: Measure) -> Measure:
    """Return the least of several measures: all of them must be loud."""
    return lambda planet: min(measure(planet) for measure in measures)


def missed(planet: Planet) -> float:
    """Count titles that an instance of the catalogue, fresh from its start, found in no cache."""
    return sum(
        bool(tags(span)["cache.found"] == "miss")
        for span in planet.spans()
        if span.name == "get titles" and not str(origin(span)["service.instance.id"]).endswith("-1")
    )


def behind(zone: str) -> Measure:
    """Return how old a replica says that its knowledge is, in seconds."""

    def lag(planet: Planet) -> float:
        found = planet.points("db.replica.lag")
        return max(value for point, value in found if point["db.replica"] == zone)

    return lag


def burning(_planet: Planet) -> float:
    """Return how many threads compete with the region for the processor."""
    return sum(thread.name.endswith("(_spin)") for thread in threading.enumerate())


def unseen(metric: str, **tags: str) -> Measure:
    """Return 1 while a metric, or the part of it with these tags, can't be seen."""

    def missing(planet: Planet) -> float:
        found = planet.points(metric)
        return not any(tags.items() <= point.items() for point, _ in found)

    return missing


def crowding(planet: Planet) -> float:
    """Return how many viewers begin a session in a second, of one that is usual."""
    (arrivals,) = planet.platform.crowd._arrivals.values()
    gaps = [arrivals.gap_s(0.0) for _ in range(400)]
    return len(gaps) / sum(gaps)


def unread(planet: Planet) -> float:
    """Return the largest batch of events that a reader took at once."""
    sizes = [tags(span).get("messaging.batch.message_count", 0) for span in planet.spans()]
    return max(sizes, default=0)


async def nothing(_planet: Planet, _region: str) -> None:
    """Do nothing more."""


async def leases_end(planet: Planet, region: str) -> None:
    """Let the time pass after which the registry forgets an instance that died."""
    one = planet.platform.regions[region]
    running = {instance.id for instance in one.fleet.running()}
    for instance in one.leases.instances():
        if instance.id not in running:
            one.leases.cancel(instance.service, instance.id)
    await one.registry.refresh()


async def minutes_pass(planet: Planet, region: str) -> None:
    """Let three minutes pass for what grows with time."""
    planet.platform.regions[region].points._now_s = lambda: time.monotonic() + 180.0


async def fresh_catalogue(planet: Planet, region: str) -> None:
    """Replace the catalogue's instances: what they remembered near goes with them."""
    await planet.performer.perform(
        "deploy", {"region": region, "service": "catalogue", "version": "1.0.0"}
    )


async def filled_again(planet: Planet, region: str) -> None:
    """Let an instance that knows nothing fill the caches, then replace it."""
    await fresh_catalogue(planet, region)
    await planet.platform.visit(region)
    await fresh_catalogue(planet, region)


async def all_is_read(planet: Planet, _region: str) -> None:
    """Let readers come to the end of what was written."""
    for _ in range(10):
        planet.forget()
        await asyncio.sleep(0.6)
        if unread(planet) <= USUAL_BATCH:
            return


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What is measured while a fault lasts, and how loud it must be.

    ``quiet`` is the most that may be measured without the fault; ``then`` happens between the
    injection and the visits, ``after`` between the rollback and the visits. With ``chores`` the
    instances are also given time for what they do by themselves, every half a second.
    """

    measure: Measure
    least: float = 1
    quiet: float = 0
    warm: int = 1
    visits: int = 2
    device: Device = Device.TV
    viewer: str = ""
    chores: bool = False
    then: Hook = nothing
    after: Hook = nothing


def shows_only_while_it_lasts(
    planet: OpenPlanet, name: str, effect: Effect, tmp_path: Path
) -> None:
    """Play a fault on a platform of its own and look at it before, during and after.

    Args:
        planet: Opens the platform.
        name: The fault.
        effect: What is measured.
        tmp_path: Where ``planet`` writes the truth file.
    """
    fault = FAULTS[name]
    region = fault.scope.get("cloud.region", "us-east-1")
    guests = count()

    async def look(one: Planet, visits: int) -> float:
        one.forget()
        # Starts are counted for good: how many failed is told by what was counted before.
        before = effect.measure(one) if effect.measure is failed else 0
        for _ in range(visits):
            # Somebody else each time: one viewer may only ask so often.
            viewer = effect.viewer or f"v{next(guests):04d}"
            await one.platform.visit(region, effect.device, viewer)
        if effect.chores:
            await asyncio.sleep(0.7)
        return effect.measure(one) - before

    async def story() -> tuple[float, float, float]:
        async with planet(region) as one:
            one.injector.experiments = {name: _without_pauses(fault)}
            calm = await look(one, effect.warm)
            failures = one.failures()
            await one.injector.inject(name)
            await effect.then(one, region)
            during = await look(one, effect.visits)
            if fault.expected_impact.startswith("None"):
                assert one.failures() == failures
            await one.injector.take_back(name)
            await effect.after(one, region)
            return calm, during, await look(one, 1)

    calm, during, afterwards = steady.run(story())
    (told,) = read_truth(tmp_path / "truth.jsonl")
    assert (told.name, told.component) == (name, fault.component)
    assert told.end_ms is not None
    assert told.start_ms < told.end_ms
    assert calm <= effect.quiet
    assert during >= effect.least
    assert afterwards <= effect.quiet


def _without_pauses(experiment: Experiment) -> Experiment:
    """Return an experiment whose steps follow each other at once."""
    return replace(
        experiment, method=tuple(replace(step, pause_s=0.0) for step in experiment.method)
    )
