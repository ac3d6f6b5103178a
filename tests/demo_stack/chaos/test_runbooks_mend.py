"""The platform's runbooks really mend its faults: while the fault stays, its effect ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from anomaly.testing import example_finding
from demo_stack.supervisor.control.app import control_app
from runbooks.automation.allowing import Allowed, load_allowed
from runbooks.automation.carrying.asking_host import asked
from runbooks.automation.loading import load_library
from runbooks.automation.planning import plan_of
from runbooks.automation.state import Plan
from runbooks.incidents.incident import ImpactInterval, Incident
from runbooks.incidents.states import Severity, Status
from tests.demo_stack.chaos.effects import FAULTS, Effect, leases_end
from tests.demo_stack.chaos.test_chaos_effects import EFFECTS

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet, Planet

OPS = Path(__file__).parents[3] / "demo_stack" / "ops"
LIBRARY = {runbook.name: runbook for runbook in load_library(OPS / "runbooks")}
SERVED = 400


@dataclass(frozen=True, kw_only=True)
class Mends:
    """Which fault a runbook mends, with what is said when it begins."""

    fault: str
    said: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    leases_end: bool = False


MENDED = {
    "roll-back-deployment": Mends(fault="bad-deployment-errors"),
    "push-configuration": Mends(fault="bad-configuration"),
    "replace-instances": Mends(fault="one-bad-instance"),
    "scale-out": Mends(fault="instance-crash", leases_end=True),
    "start-region": Mends(fault="region-death"),
    "resume-region": Mends(fault="region-hang"),
    "restore-copies": Mends(fault="bit-rot"),
    "start-part": Mends(fault="broker-death"),
    "set-clock": Mends(fault="clock-skew"),
    "refresh-registry": Mends(fault="registry-staleness", leases_end=True),
    "end-busy-threads": Mends(fault="cpu-starvation"),
    "bring-replica-back": Mends(fault="replica-lag"),
    "end-failure-test": Mends(fault="failure-test"),
    "report-again": Mends(fault="silent-data-loss"),
    "region-loss": Mends(fault="region-death", others=("us-west-2",)),
}


def incident(region: str) -> Incident:
    """An incident in a region."""
    finding = example_finding(scope={"cloud.region": region, "service.name": "playback"})
    return Incident(
        id="inc-0001",
        seq=1,
        title=finding.title,
        severity=Severity.SEV2,
        severity_by="tocsin",
        status=Status.TRIAGE,
        opened_ms=1,
        impact=(ImpactInterval(start_ms=1),),
        findings={finding.id: finding},
    )


def planned(name: str, region: str, said: Mapping[str, str]) -> tuple[Plan, Allowed]:
    """Return what the runbook does, and what it may."""
    allowed = load_allowed(OPS / "automation.yaml")
    return plan_of(LIBRARY[name], incident(region), said, allowed), allowed


async def carried_out(one: Planet, plan: Plan, allowed: Allowed) -> int:
    """Send what the plan's acting steps send to the platform's control API."""
    app = control_app(one.platform, one.desk, one.performer, one.changes)
    done = 0
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as control:
        for step in plan.steps:
            if step.request is None or not step.changes:
                continue
            request = asked(step.request, allowed, plan.values)
            answer = await control.request(
                request.method, request.url, headers=request.headers, content=request.body
            )
            assert answer.status_code < SERVED, (step.id, answer.text)
            done += 1
    return done


async def looked(
    one: Planet, region: str, effect: Effect, visits: int, guests: count[int]
) -> float:
    """Visit the region and measure the fault's effect."""
    one.forget()
    before = effect.measure(one) if effect.measure.__name__ == "failed" else 0
    for _ in range(visits):
        await one.platform.visit(region, effect.device, effect.viewer or f"v{next(guests):04d}")
    if effect.chores:
        await asyncio.sleep(0.7)
    return effect.measure(one) - before


@pytest.mark.parametrize("name", sorted(MENDED))
def test_a_runbook_mends_what_it_says(planet: OpenPlanet, name: str) -> None:
    """Nobody takes the fault back: what was loud is quiet by what the runbook did."""
    mends = MENDED[name]
    fault, effect, guests = FAULTS[mends.fault], EFFECTS[mends.fault], count()
    region = fault.scope.get("cloud.region", "us-east-1")

    async def story() -> tuple[float, float]:
        async with planet(region, *mends.others) as one:
            quick = tuple(replace(step, pause_s=0.0) for step in fault.method)
            one.injector.experiments = {fault.name: replace(fault, method=quick)}
            await looked(one, region, effect, effect.warm, guests)
            await one.injector.inject(fault.name)
            await effect.then(one, region)
            during = await looked(one, region, effect, effect.visits, guests)
            assert await carried_out(one, *planned(name, region, mends.said)) >= 1
            if mends.leases_end:
                await leases_end(one, region)
            await effect.after(one, region)
            return during, await looked(one, region, effect, max(1, effect.visits), guests)

    during, afterwards = asyncio.run(story())
    assert during >= effect.least
    assert afterwards <= effect.quiet


def test_evacuation_moves_viewers_and_its_rollback_brings_them_home(planet: OpenPlanet) -> None:
    """The other region has room for them, and gives it back afterwards."""
    plan, allowed = planned("evacuate-region", "us-east-1", {})
    [step] = [step for step in plan.steps if step.changes]
    assert step.rollback is not None
    back = replace(plan, steps=(step.rollback,))

    async def story() -> list[int]:
        async with planet("us-east-1", "us-west-2") as one:
            fleet = one.platform.regions["us-west-2"].fleet
            running = [len(fleet.running("playback"))]
            for acting in (plan, back):
                await carried_out(one, acting, allowed)
                running.append(len(fleet.running("playback")))
            return running

    usual, away, home = asyncio.run(story())
    assert (away > usual, home) == (True, usual)


def test_there_are_at_least_a_dozen() -> None:
    """Each of the platform's runbooks is tried here."""
    assert sorted(LIBRARY) == sorted([*MENDED, *ELSEWHERE])
    assert len(LIBRARY) >= 12


ELSEWHERE = ("evacuate-region", "reach-the-log", "playback-start-errors")
"""Tried by a test of its own; one part of a fault that has others; and one that only looks."""
