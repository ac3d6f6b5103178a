"""Fetching ahead: the forecast is right on average, the plan is bounded, and hits go up."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.client import Call
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import open_region
from demo_stack.regions.control import RegionControl
from demo_stack.services.edge.cache import PopularityCache
from demo_stack.services.edge.forecast import (
    MARGIN,
    MAX_KEYS,
    PopularityForecast,
    QuietHours,
    plan_fill,
)

DAY_S = 1_440.0
names = st.text("abcdefgh", min_size=1, max_size=2)


def test_a_steady_rate_is_forecast_and_an_old_one_fades() -> None:
    """Filling ahead by a wrong forecast wastes the quiet hours."""
    forecast = PopularityForecast(half_life_s=100.0)
    for number in range(4_000):
        forecast.note("often", number * 0.25)
        if number % 10 == 0:
            forecast.note("seldom", number * 0.25)
    rates = forecast.rates(1_000.0)
    assert rates["often"] == pytest.approx(4.0, rel=0.02)
    assert rates["seldom"] == pytest.approx(0.4, rel=0.05)
    assert forecast.rates(1_100.0)["often"] == pytest.approx(rates["often"] / 2)


def test_a_launch_is_expected_before_anybody_asks_and_strangers_cant_fill_the_memory() -> None:
    """Announced keys need a bound as asked ones do."""
    forecast = PopularityForecast(half_life_s=100.0)
    forecast.announce("new", 3.0)
    assert forecast.rates(0.0) == {"new": 3.0}
    for number in range(MAX_KEYS * 2):
        forecast.note(f"once-{number}", float(number))
    assert len(forecast.rates(0.0)) <= MAX_KEYS + 1


@given(
    st.dictionaries(names, st.floats(0, 100)),
    st.sets(names),
    st.integers(0, 20),
    st.integers(-1, 9),
)
def test_a_plan_fetches_nothing_twice_and_no_more_than_it_may(
    rates: dict[str, float], kept: set[str], capacity: int, budget: int
) -> None:
    """A plan past its budget takes bandwidth from viewers."""
    plan = plan_fill(rates, kept, capacity, budget)
    assert len(plan) == len(set(plan)) <= min(max(budget, 0), capacity)
    assert not set(plan) & kept
    assert [rates[key] for key in plan] == sorted((rates[key] for key in plan), reverse=True)


def test_what_is_kept_goes_only_for_something_clearly_better() -> None:
    """Near equals would push each other out all night."""
    rates = {"a": 10.0, "b": 5.0, "c": 5.0 * MARGIN - 0.1, "d": 20.0}
    assert plan_fill(rates, {"a", "b"}, 2, 9) == ["d"]
    assert plan_fill({**rates, "d": 0.0}, {"a", "b"}, 2, 9) == []
    assert plan_fill(rates, {"a"}, 3, 9) == ["d", "c"]  # one place is free, one is b's... or none's


def test_quiet_hours_are_found_in_the_rhythm_of_a_day() -> None:
    """Filling at peak time takes bandwidth from viewers."""
    hours, found = QuietHours(DAY_S), []
    for minute in range(int(3 * DAY_S / 60)):
        time_s = minute * 60.0
        demand = 100 * (1 + 0.3 * math.sin(2 * math.pi * time_s / DAY_S))
        hours.watch(int(demand), 60.0)
        if time_s >= 2 * DAY_S:
            found.append((demand < 100, hours.quiet))
    right = sum(expected == quiet for expected, quiet in found)
    assert right / len(found) > 0.85
    assert QuietHours(DAY_S).quiet  # a new site has time


class Trace:
    """Days of requests at several sites; every night some titles sink and announced ones rise."""

    SITES, TITLES, LAUNCHES, PER_SITE_DAY = 8, 600, 30, 1_500

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._ranked = [f"t{number}" for number in range(self.TITLES)]
        self._born = self.TITLES

    def weights(self) -> list[float]:
        return [1 / rank for rank in range(1, len(self._ranked) + 1)]

    def day(self) -> list[tuple[float, int, str]]:
        """Return (second of the day, site, title) of every request."""
        count = self.SITES * self.PER_SITE_DAY
        titles = self._rng.choices(self._ranked, self.weights(), k=count)
        times = sorted(self._rng.uniform(0, DAY_S) for _ in range(count))
        return [
            (at, self._rng.randrange(self.SITES), t) for at, t in zip(times, titles, strict=True)
        ]

    def night(self) -> dict[str, float]:
        """Change the ranks; return what is announced: requests a second at a site by title."""
        new = [f"t{self._born + number}" for number in range(self.LAUNCHES)]
        self._born += self.LAUNCHES
        del self._ranked[-self.LAUNCHES :]
        total = sum(self.weights())
        announced = {}
        for title in new:
            place = self._rng.randrange(5, 80)
            self._ranked.insert(place, title)
            announced[title] = self.PER_SITE_DAY / DAY_S / total / (place + 1)
        return announced


def _hits(*, ahead: bool, budget: int) -> tuple[float, int]:
    """Return the hit ratio from the second day on, and how much was fetched ahead."""
    trace, capacity, fetched = Trace(seed=11), 150, 0
    sites = [PopularityCache(capacity) for _ in range(Trace.SITES)]
    forecast, hits, asked = PopularityForecast(DAY_S / 2), 0, 0
    for day in range(4):
        for second, site, title in trace.day():
            forecast.note(title, day * DAY_S + second)
            hit = sites[site].get(title) is not None
            if not hit:
                sites[site].put(title, b".")
            hits, asked = hits + (hit and day > 0), asked + (day > 0)
        for title, per_s in trace.night().items():
            forecast.announce(title, per_s * Trace.SITES)
        rates = forecast.rates((day + 1) * DAY_S)
        for cache in sites if ahead else []:
            plan = plan_fill(rates, set(cache), capacity, budget)
            fetched += len(plan)
            for title in plan:
                cache.put(title, b".", popularity=rates[title] * DAY_S / 24)
    return hits / asked, fetched


def test_filling_in_the_quiet_hours_raises_the_hit_ratio_within_its_bandwidth() -> None:
    """Fetching ahead that helps nobody only costs."""
    reactive, _ = _hits(ahead=False, budget=0)
    little, fetched_little = _hits(ahead=True, budget=10)
    ahead, fetched = _hits(ahead=True, budget=60)
    nights = 4
    assert fetched_little <= 10 * Trace.SITES * nights
    assert fetched <= 60 * Trace.SITES * nights
    assert reactive < little < ahead
    assert ahead > reactive + 0.025  # 75.0 % becomes 78.1 %


def test_an_edge_fetches_ahead_what_its_region_asks_for() -> None:
    """A site must learn from its region, not only from its own requests."""

    def call(key: str) -> Call:
        return Call(service="edge", method="GET", route=f"/segments/{key}")

    async def story() -> tuple[list[int], list[int], list[str]]:
        async with open_region() as w:
            for number in range(5):
                await w.client.send(call(f"t01/720p/{number}"))
            sites = w.region.stores.edge.fillers
            for site in sites:
                site.cache.clear()
            fetched = [await site.fill() for site in sites]
            again = [await site.fill() for site in sites]
            hits = [(await w.client.send(call("t01/720p/3"))).headers["x-cache"] for _ in range(4)]
            return fetched, again, hits

    fetched, again, hits = steady.run(story())
    assert (fetched, again) == ([5, 5], [0, 0])  # each site, whoever was asked before
    assert hits == ["hit"] * 4


def test_an_announced_launch_is_fetched_before_anybody_asks() -> None:
    """The first viewers of a launch would all miss."""

    async def story() -> tuple[Any, list[str]]:
        async with open_region() as w:
            control = RegionControl(w.region, w.pipe)
            await control.expect("t42", 6.0)
            (first, _) = (await control.fill())["fetched"]
            call = Call(service="edge", method="GET", route="/segments/t42/1080p/1")
            return first, [(await w.client.send(call)).headers["x-cache"] for _ in range(4)]

    fetched, outcomes = steady.run(story())
    assert fetched == 15  # three segments of five renditions
    assert outcomes == ["hit"] * 4
