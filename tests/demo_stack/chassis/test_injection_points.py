"""Disturbances reach the point they name, as often as they say, until they are taken back."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from demo_stack.chassis.disturbance import Disturbance, InjectionPoints
from demo_stack.chassis.errors import ServiceError


def _failures(points: InjectionPoints, point: str, times: int = 1_000) -> int:
    async def story() -> int:
        failed = 0
        for _ in range(times):
            try:
                await points.reach(point)
            except ServiceError:
                failed += 1
        return failed

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("ratio", "point", "low", "high"),
    [(0.4, "a", 350, 450), (1.0, "a", 1_000, 1_000), (0.0, "a", 0, 0), (1.0, "b", 0, 0)],
)
def test_a_share_of_the_requests_at_its_point_fails(
    ratio: float, point: str, low: int, high: int
) -> None:
    """A fault of another strength than was said makes every threshold wrong."""
    points = InjectionPoints(Random(1))
    points.disturb("k", Disturbance(point="a", error_ratio=ratio))
    assert low <= _failures(points, point) <= high


def test_calm_ends_it_and_may_be_said_twice() -> None:
    """A rollback that is repeated must not fail."""
    points = InjectionPoints(Random(1))
    points.disturb("k", Disturbance(point="a", error_ratio=1.0))
    points.calm("k")
    points.calm("k")
    assert _failures(points, "a") == 0


def test_two_disturbances_of_one_point_add_up() -> None:
    """The second fault at a point would silently replace the first."""
    waited = []

    async def remember(seconds: float) -> None:
        waited.append(seconds)

    points = InjectionPoints(Random(1), remember)
    points.disturb("one", Disturbance(point="a", delay_s=0.1))
    points.disturb("two", Disturbance(point="a", delay_s=0.2))
    asyncio.run(points.reach("a"))
    assert waited == [0.1, 0.2]


def test_the_failure_carries_the_words_of_the_real_one() -> None:
    """A failure that says it is injected gives the answer away."""
    points = InjectionPoints(Random(1))
    points.disturb(
        "k", Disturbance(point="a", error_ratio=1, error="no licence", error_type="X", status=502)
    )
    with pytest.raises(ServiceError, match="no licence") as failed:
        asyncio.run(points.reach("a"))
    assert (failed.value.status, failed.value.error_type) == (502, "X")
