"""Burn rates against the figures of the SRE Workbook and of the field notes."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from anomaly.slo.budget import budget_of
from anomaly.slo.burn import Verdict, Windows, plan_windows
from anomaly.slo.ring import EventRing
from anomaly.slo.testing import example_objective
from anomaly.slo.tiers import tiers_for, unreachable

STEP_MS = 10_000
PERIOD_S = 30 * 86_400
EVENTS = 1_000.0


PROMISE = example_objective(target=Fraction("0.999"), period_s=PERIOD_S)


@pytest.mark.parametrize(
    ("period_s", "step_ms", "expected"),
    [
        (
            PERIOD_S,
            10_000,
            [(3600, 300, 14.4), (21600, 1800, 6), (86400, 7200, 3), (259200, 21600, 1)],
        ),
        (43_200, 5_000, [(60, 5, 14.4), (360, 30, 6), (1440, 120, 3), (4320, 360, 1)]),
        # Never shorter than a step; the factor follows the window that is really used.
        (3_600, 10_000, [(10, 10, 7.2), (30, 10, 6), (120, 10, 3), (360, 30, 1)]),
    ],
)
def test_windows_scale_with_the_period(
    period_s: int, step_ms: int, expected: list[tuple[float, float, float]]
) -> None:
    """Otherwise a short objective would be judged by windows of a month."""
    tiers = tiers_for(period_s, step_ms)
    assert [(t.long_s, t.short_s, float(t.factor)) for t in tiers] == expected


def test_factors_are_exact() -> None:
    """Otherwise a burn right at the limit would fire by rounding."""
    assert [str(t.factor) for t in tiers_for(PERIOD_S, STEP_MS)] == ["72/5", "6", "3", "1"]


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("0.999", []),
        ("0.93", ["page-fast"]),
        ("0.8", ["page-fast", "page-slow"]),
        ("0.5", ["page-fast", "page-slow", "ticket-fast"]),
    ],
)
def test_tiers_that_can_never_fire_are_known(target: str, names: list[str]) -> None:
    """A tier needs a target above 1 - 1/factor: 93.06 %, 83.3 %, 66.7 %."""
    assert [t.name for t in unreachable(tiers_for(PERIOD_S, STEP_MS), Fraction(target))] == names


# error ratio -> minutes until page-fast, page-slow, ticket-slow fire; None is never.
GOLDEN = [
    (1.0, 0.864, 2.16, 4.32),
    (0.10, 8.64, 21.6, 43.2),
    (0.05, 17.28, 43.2, 86.4),
    (0.02, 43.2, 108.0, 216.0),
    (0.01, None, 216.0, 432.0),
    (0.005, None, None, 864.0),
    (0.002, None, None, 2160.0),
]


@pytest.fixture(scope="module")
def verdicts() -> list[list[tuple[bool, ...]]]:
    """For each step after the errors began: for each error ratio, which tiers burn."""
    tiers = [t for t in tiers_for(PERIOD_S, STEP_MS) if t.name != "ticket-fast"]
    plan = plan_windows(PROMISE, tiers, STEP_MS)
    ring = EventRing(259_200_000 // STEP_MS)
    count = len(GOLDEN)
    ring.grow(count)
    total, measured = np.full(count, EVENTS), np.ones(count)
    for _ in range(ring.capacity):
        ring.push(np.zeros(count), total, measured)
    bad = np.array([row[0] for row in GOLDEN]) * EVENTS
    seen = np.full(count, 1e9)
    interesting = {
        floor(minutes * 60_000 / STEP_MS) + shift
        for row in GOLDEN
        for minutes in row[1:]
        if minutes is not None
        for shift in (0, 1, 2)
    }
    table: list[list[tuple[bool, ...]]] = []
    for step in range(13_000):
        if step in interesting or step == 12_999:
            windows = Windows(ring, plan, seen)
            readings = [windows.readings(group) for group in range(count)]
            table.append([tuple(r.verdict is Verdict.BURNING for r in group) for group in readings])
        else:
            table.append([])
        ring.push(bad, total, measured)
    return table


@pytest.mark.parametrize("row", range(len(GOLDEN)))
@pytest.mark.parametrize("tier", range(3))
def test_minutes_to_fire(verdicts: list[list[tuple[bool, ...]]], row: int, tier: int) -> None:
    """Time to fire is threshold / error x window, once errors exceed the threshold."""
    minutes = GOLDEN[row][1 + tier]
    if minutes is None:
        assert not verdicts[-1][row][tier]
        return
    step = floor(minutes * 60_000 / STEP_MS)
    assert not verdicts[step][row][tier] or minutes * 60_000 % STEP_MS == 0
    assert verdicts[step + 2][row][tier]


def test_fifteen_percent_for_ten_minutes() -> None:
    """Fires at 5.76 minutes and stops 4.52 minutes after the errors: measured with promtool."""
    tier = tiers_for(PERIOD_S, STEP_MS)[:1]
    plan = plan_windows(PROMISE, tier, STEP_MS)
    ring = EventRing(360)
    ring.grow(1)
    fires = []
    for step in range(360 + 60 + 60):
        wrong = 0.15 * EVENTS if 360 <= step < 420 else 0.0
        ring.push(np.array([wrong]), np.array([EVENTS]), np.ones(1))
        reading = Windows(ring, plan, np.ones(1)).readings(0)[0]
        if reading.verdict is Verdict.BURNING:
            fires.append((step + 1 - 360) * STEP_MS / 60_000)
    assert fires[0] == pytest.approx(5.76, abs=STEP_MS / 60_000)
    assert fires[-1] - 10 == pytest.approx(4.52, abs=STEP_MS / 60_000)


@pytest.mark.parametrize(
    ("outage_rate", "consumed"), [(10.0, 0.0275), (1_000.0, 2.75)], ids=["night", "day"]
)
def test_budget_is_weighted_by_events(outage_rate: float, consumed: float) -> None:
    """Half the day 1000/s, half 10/s, one hour of full outage: what counts is who was there."""
    total = 30 * 12 * 3_600 * (1_000.0 + 10.0)
    budget = budget_of(bad=3_600 * outage_rate, total=total, coverage=1.0, target=Fraction("0.999"))
    assert budget.consumed == pytest.approx(consumed, rel=1e-3)
    assert budget.remaining == pytest.approx(1 - consumed, rel=1e-3)


def test_budget_without_noise() -> None:
    """One bad in ten thousand of 99.9 % is a tenth of the budget, not 0.09999999999999432 of it."""
    assert budget_of(bad=1, total=10_000, coverage=1, target=Fraction("0.999")).consumed == 0.1
