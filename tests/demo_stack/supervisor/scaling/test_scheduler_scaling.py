"""Scaling: the forecast knows the day, instances are up before they are needed."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.errors import PlatformError
from demo_stack.supervisor.scaling.autoscaler import Autoscaler, policies
from demo_stack.supervisor.scaling.forecast import HoltWinters
from demo_stack.supervisor.scaling.policy import ScalingPolicy, ServiceScaler

HOURS = 24


def _day(hour: int) -> float:
    """Traffic of an hour: a sharp evening on a quiet day."""
    since_dusk = max(0, hour % HOURS - 16)
    return 20.0 + 80.0 * math.sin(math.pi * since_dusk / 8)


def test_a_day_with_noise_and_growth_is_forecast_hours_ahead() -> None:
    """A forecast that is off has instances up too late."""
    rng, model, errors, naive = Random(4), HoltWinters(HOURS), [], []
    for hour in range(10 * HOURS):
        true = _day(hour) + 0.05 * hour
        if hour > 5 * HOURS:
            errors.append(abs(model.forecast(3) - (_day(hour + 2) + 0.05 * (hour + 2))))
            naive.append(abs(true - (_day(hour + 2) + 0.05 * (hour + 2))))
        model.observe(true * rng.gauss(1.0, 0.03))
    assert sum(errors) / len(errors) < 0.25 * sum(naive) / len(naive)


@given(st.lists(st.floats(0, 1e6), max_size=100), st.integers(1, 50))
def test_a_forecast_is_never_negative_nor_nan(values: list[float], ahead: int) -> None:
    """Fewer than no requests would scale a service away."""
    model = HoltWinters(7)
    for value in values:
        model.observe(value)
    assert model.forecast(ahead) >= 0.0


@given(st.lists(st.floats(0, 1e4), max_size=60), st.booleans())
def test_there_are_never_too_few_nor_too_many(series: list[float], predictive: bool) -> None:
    """Policy bounds must hold whatever the traffic does."""
    policy = ScalingPolicy(
        per_instance=10.0, min_instances=2, max_instances=7, predictive=predictive
    )
    scaler, running = ServiceScaler(policy, 6), 2
    for per_s in series:
        before, running = running, scaler.decide(running, per_s)
        assert 2 <= running <= 7
        assert running >= before - 1
        assert running * 10.0 >= min(per_s * 1.3, 70.0)


def _overloaded_hours(*, predictive: bool) -> tuple[int, int]:
    """Return hours in which capacity was short, and instance hours, over the last five days."""
    policy = ScalingPolicy(
        per_instance=10.0, max_instances=20, headroom=1.1, patience=1, predictive=predictive
    )
    scaler, running, coming, short, paid = ServiceScaler(policy, HOURS), 3, [3, 3], 0, 0
    for hour in range(8 * HOURS):
        ready = min(coming[0], coming[1])
        if hour >= 3 * HOURS:
            short += _day(hour) > ready * policy.per_instance
            paid += running
        running = scaler.decide(running, _day(hour))
        coming = [coming[1], running]  # what is started now is of use two hours later
    return short, paid


def test_prediction_has_instances_up_before_the_evening() -> None:
    """Scaling that only follows is late every evening."""
    reactive, paid_reactive = _overloaded_hours(predictive=False)
    predicted, paid = _overloaded_hours(predictive=True)
    assert reactive >= 10
    assert predicted <= reactive / 4
    assert paid < 1.25 * paid_reactive


def test_a_short_dip_shrinks_nothing() -> None:
    """Instances that go in a dip are missing a minute later."""
    scaler = ServiceScaler(ScalingPolicy(per_instance=10.0, patience=5), HOURS)
    running = scaler.decide(1, 50.0)
    assert running == 7
    dip = [scaler.decide(running, load) for load in (5.0, 5.0, 50.0, 5.0, 5.0, 5.0, 5.0)]
    assert dip == [7] * 7
    assert scaler.decide(running, 5.0) == 6


class Fleet:
    """A scheduler that remembers; its services answer as many requests as the test says."""

    def __init__(self) -> None:
        self.instances = Counter({("r1", "playback"): 2, ("r2", "playback"): 2})
        self.totals: Counter[str] = Counter()
        self.scaled: list[tuple[str, str, int]] = []
        self.away: set[str] = set()

    async def load(self, region: str) -> dict[str, tuple[int, int]]:
        if region in self.away:
            raise PlatformError("dead")
        return {"playback": (self.instances[region, "playback"], self.totals[region])}

    async def scale(self, region: str, service: str, instances: int) -> None:
        self.instances[region, service] = instances
        self.scaled.append((region, service, instances))


def test_regions_scale_apart_and_one_that_is_away_is_left_alone() -> None:
    """A dead region would be scaled by another's traffic."""

    async def story() -> list[tuple[str, str, int]]:
        fleet = Fleet()
        scaler = Autoscaler(fleet, ["r1", "r2"], policies(sps=4.0), day_s=HOURS * 10.0)
        fleet.totals.update(r1=1_000, r2=1_000)  # from before: says nothing of a rate
        await scaler.step()
        fleet.totals.update(r1=600, r2=100)
        fleet.away.add("r2")
        await scaler.step()
        assert fleet.scaled == [("r1", "playback", 7)]  # 60 a second x 1.3 / 12
        fleet.away.clear()
        fleet.totals.update(r2=10_000)
        await scaler.step()  # nobody knows how long r2's were in coming
        fleet.totals["r1"] -= 1_500  # instances ended, and took their totals with them
        for _ in range(3):
            await scaler.step()
        return fleet.scaled

    assert len(asyncio.run(story())) == 1


def test_while_its_hand_is_held_it_neither_scales_nor_learns() -> None:
    """The scaler would undo a fault, or learn from it."""
    held = [False]

    async def story() -> list[tuple[str, str, int]]:
        fleet = Fleet()
        scaler = Autoscaler(
            fleet, ["r1"], policies(sps=4.0), day_s=HOURS * 10.0, held=lambda: held[0]
        )
        await scaler.step()
        held[0] = True
        for _ in range(3):
            fleet.totals.update(r1=600)  # a surge that somebody plays
            await scaler.step()
        held[0] = False
        await scaler.step()  # what came meanwhile says nothing of a rate
        assert fleet.scaled == []
        fleet.totals.update(r1=600)
        await scaler.step()
        return fleet.scaled

    assert asyncio.run(story()) == [("r1", "playback", 7)]


def test_policies_leave_the_usual_traffic_of_a_region_alone() -> None:
    """Usual traffic must cause no scaling, or every hour has a change."""
    for policy in policies(sps=4.0).values():
        usual = policy.per_instance * 1.15  # the top of the daily rhythm
        assert ServiceScaler(policy, HOURS).decide(2, usual) == pytest.approx(2)
