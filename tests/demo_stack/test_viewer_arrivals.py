"""Viewers arrive at the asked rate, in a mild rhythm, the same ones for the same seed."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_stack.viewers.arrivals import DEVICE_SHARES, Arrivals
from demo_stack.viewers.rhythm import DAY_S, DailyRhythm


@settings(max_examples=50)
@given(time=st.floats(0, 1e6), amplitude=st.floats(0, 0.9), offset=st.floats(0, 1))
def test_demand_stays_within_its_amplitude_and_repeats_daily(time, amplitude, offset):
    rhythm = DailyRhythm(amplitude=amplitude, offset=offset)
    factor = rhythm.factor(time)
    assert 1 - amplitude <= factor <= 1 + amplitude
    assert rhythm.factor(time + DAY_S) == pytest.approx(factor, abs=1e-6)


def _arrive(arrivals: Arrivals, seconds: float) -> list[float]:
    times = [0.0]
    while times[-1] < seconds:
        times.append(times[-1] + arrivals.gap_s(times[-1]))
    return times[:-1]


@pytest.mark.parametrize(("rate", "demand"), [(5.0, 1.0), (5.0, 3.0), (0.5, 1.0)])
def test_the_rate_over_a_day_is_what_was_asked_for(rate, demand):
    arrivals = Arrivals("us-east-1", rate, DailyRhythm(), Random(3))
    arrivals.demand = demand
    count = len(_arrive(arrivals, DAY_S))
    assert count == pytest.approx(rate * demand * DAY_S, rel=0.05)


def test_five_second_counts_are_smoother_than_poisson():
    times = _arrive(Arrivals("us-east-1", 5.0, DailyRhythm(amplitude=0), Random(3)), 5_000)
    counts = list(Counter(int(time // 5) for time in times).values())
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert variance < 0.5 * mean


def test_visitors_repeat_with_the_seed_and_follow_the_device_shares():
    def crowd(seed: int) -> list[object]:
        arrivals = Arrivals("us-east-1", 5.0, DailyRhythm(), Random(seed))
        return [arrivals.visitor() for _ in range(2_000)]

    assert crowd(1) == crowd(1) != crowd(2)
    devices = Counter(visitor.device for visitor in crowd(1))
    for device, share in DEVICE_SHARES.items():
        assert devices[device] / 2_000 == pytest.approx(share, abs=0.07)
