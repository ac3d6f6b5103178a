"""Viewers arrive at the asked rate, in a mild rhythm, the same ones for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_stack.chassis.network import MemoryNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.viewers.arrivals import DEVICE_SHARES, Arrivals, Visitor
from demo_stack.viewers.crowd import Crowd
from demo_stack.viewers.rhythm import Rhythm
from demo_stack.world.accounts import ALL_ACCOUNTS, name_of
from demo_stack.world.layout import DAY_S, Region


@settings(max_examples=50)
@given(time=st.floats(0, 1e6), amplitude=st.floats(0, 0.9), offset=st.floats(0, 1))
def test_demand_stays_within_its_amplitude_and_repeats_daily(
    time: float, amplitude: float, offset: float
) -> None:
    """A rhythm that drifts teaches seasonal detectors nonsense."""
    rhythm = Rhythm(amplitude=amplitude, weekly=0.0, offset=offset)
    factor = rhythm.factor(time)
    assert 1 - amplitude <= factor <= 1 + amplitude
    assert rhythm.factor(time + DAY_S) == pytest.approx(factor, abs=1e-6)


def _arrive(arrivals: Arrivals, seconds: float) -> list[float]:
    times = [0.0]
    while times[-1] < seconds:
        times.append(times[-1] + arrivals.gap_s(times[-1]))
    return times[:-1]


@pytest.mark.parametrize(("rate", "demand"), [(5.0, 1.0), (5.0, 3.0), (0.5, 1.0)])
def test_the_rate_over_a_day_is_what_was_asked_for(rate: float, demand: float) -> None:
    """Capacities follow from the rate; it must be the one that was asked for."""
    arrivals = Arrivals("us-east-1", rate, Rhythm(weekly=0.0), Random(3))
    arrivals.demand = demand
    count = len(_arrive(arrivals, DAY_S))
    assert count == pytest.approx(rate * demand * DAY_S, rel=0.05)


def test_five_second_counts_are_smoother_than_poisson() -> None:
    """Noise of few sessions would hide small faults."""
    times = _arrive(Arrivals("us-east-1", 5.0, Rhythm(amplitude=0, weekly=0), Random(3)), 5_000)
    counts = list(Counter(int(time // 5) for time in times).values())
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert variance < 0.5 * mean


def test_visitors_repeat_with_the_seed_and_follow_the_device_shares() -> None:
    """A run must be repeatable, with the shares that are documented."""

    def crowd(seed: int) -> list[Visitor]:
        arrivals = Arrivals("us-east-1", 5.0, Rhythm(), Random(seed))
        return [arrivals.visitor() for _ in range(2_000)]

    assert crowd(1) == crowd(1) != crowd(2)
    devices = Counter(visitor.device for visitor in crowd(1))
    for device, share in DEVICE_SHARES.items():
        assert devices[device] / 2_000 == pytest.approx(share, abs=0.07)


def test_everybody_is_at_home_in_one_region() -> None:
    """An account of two regions would be counted twice."""
    homes = {
        region: {arrivals.visitor().viewer for _ in range(3_000)}
        for region in Region
        for arrivals in [Arrivals(region, 5.0, Rhythm(), Random(1))]
    }
    assert not homes[Region.US_EAST_1] & homes[Region.EU_WEST_1]
    names = {name_of(number) for number in range(ALL_ACCOUNTS)}
    assert set().union(*homes.values()) <= names


@settings(max_examples=50)
@given(time=st.floats(0, 1e6), day_s=st.floats(10, 86_400))
def test_a_week_repeats_is_busiest_on_saturday_and_averages_out(time: float, day_s: float) -> None:
    """A week that does not average out changes the rate."""
    rhythm = Rhythm(amplitude=0.0, weekly=0.2, day_s=day_s)
    week_s = 7 * day_s
    assert rhythm.factor(time + week_s) == pytest.approx(rhythm.factor(time), abs=1e-6)
    noons = [rhythm.factor((day + 0.5) * day_s) for day in range(7)]
    assert noons[5] == max(noons) == pytest.approx(1.2)
    assert sum(noons) / 7 == pytest.approx(1.0)
    steps = [rhythm.factor(week_s * step / 700) for step in range(700)]
    assert max(abs(one - other) for one, other in pairwise(steps)) < 0.02


def test_a_compressed_day_is_the_same_day_in_less_time() -> None:
    """A faster day must not change its shape."""
    real, minutes = Rhythm(day_s=86_400.0), Rhythm(day_s=1_440.0)
    for hour in range(24 * 7):
        assert real.factor(hour * 3_600.0) == pytest.approx(minutes.factor(hour * 60.0))


def test_a_region_follows_the_day_it_is_told() -> None:
    """Viewers and regions would live in different days."""
    crowd = Crowd(MemoryNetwork(), memory_pipe()[0], seed=1)
    crowd.populate(["us-east-1"], rate=1_000.0, day_s=100.0)
    arrivals = crowd._arrivals["us-east-1"]
    evening = sum(arrivals.gap_s(25.0) for _ in range(2_000))
    night = sum(arrivals.gap_s(75.0) for _ in range(2_000))
    assert night / evening == pytest.approx(1.15 / 0.85, rel=0.1)
