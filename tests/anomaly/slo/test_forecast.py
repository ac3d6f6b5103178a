"""When a budget will be gone: figures worked out by hand, and a band that keeps its promise."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from anomaly.arrivals import Arrived
from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.forecast import Forecast
from anomaly.slo.testing import example_objective
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import FloatArray, Frame
from collectors.stacklang.lines.database import Window

STEP_MS = 60_000
PERIOD_S = 10 * 86_400
STEPS = PERIOD_S // 60
HOUR_MS = 3_600_000
CALENDAR = CalendarWindow(
    start=datetime.fromisoformat("1970-01-01"), zone="UTC", count=10, unit="d"
)


def ahead(bad: FloatArray, *, calendar: CalendarWindow | None = None) -> Forecast:
    """Return the forecast after steps with so many bad events of a hundred each."""
    objective = example_objective(
        period_s=PERIOD_S, calendar=calendar, good_expr=None, bad_expr="b", counter=False
    )
    watch = ObjectiveWatch(objective, STEP_MS)
    steps = bad.shape[-1]
    rows = bad.reshape(-1, steps)

    def frame(values: FloatArray) -> Frame:
        return Frame(
            start_ms=STEP_MS,
            step_ms=STEP_MS,
            tags=[{"k": str(at)} for at in range(len(values))],
            labels=[str(at) for at in range(len(values))],
            values=values,
        )

    window = Window(start_ms=STEP_MS, end_ms=steps * STEP_MS, step_ms=STEP_MS)
    total = np.where(np.isnan(rows), np.nan, 100.0)
    watch.take(frame(rows), frame(total), Arrived.everything(window))
    watch.feed(0, steps, steps * STEP_MS)
    return watch.forecast(watch.spent())()


def test_a_budget_that_burns_twice_too_fast_lasts_half_as_long() -> None:
    """Half of the calendar's period was spent at 0: what is left goes at twice the speed."""
    half = STEPS // 2
    bad = np.concatenate([np.zeros(half - 720), np.full(720, 2.0)])
    found = ahead(bad, calendar=CALENDAR)
    allowed, spent = STEPS * 1.0, 720 * 2.0
    assert found.known.tolist() == [True]
    assert found.gone_ms[0] == pytest.approx((allowed - spent) / 2.0 * STEP_MS, rel=0.01)
    assert found.earliest_ms[0] < found.gone_ms[0] < found.latest_ms[0]
    assert found.horizon_ms == (STEPS - half) * STEP_MS


def test_in_the_calendar_it_may_last_to_the_end() -> None:
    """Nothing is gone after the window has ended: the next one begins with all of it."""
    found = ahead(np.full(STEPS - 60, 0.5), calendar=CALENDAR)
    assert np.isinf(found.gone_ms[0])
    assert found.horizon_ms == HOUR_MS


def test_in_a_rolling_period_old_failures_leave() -> None:
    """At exactly the allowed rate a rolling budget is just spent, and no more than that."""
    found = ahead(np.full(2 * STEPS, 0.9))
    assert np.isinf(found.gone_ms[0])
    # Half of it burnt nine days ago, which leaves tomorrow: the new rate alone does not spend it.
    early = np.concatenate([np.full(1_440, 5.0), np.full(8 * 1_440, 0.0), np.full(700, 0.6)])
    assert np.isinf(ahead(early).gone_ms[0])


def test_a_budget_that_is_gone_is_gone_now() -> None:
    """Otherwise a forecast would promise time that there is not."""
    assert ahead(np.full(STEPS, 3.0)).gone_ms.tolist() == [0.0]


def test_without_a_single_failure_the_band_still_has_a_side() -> None:
    """Three bad events in the time looked at would not be strange: the rule of three."""
    quiet = ahead(np.zeros(STEPS))
    assert np.isinf(quiet.gone_ms[0])
    assert np.isinf(quiet.latest_ms[0])


@pytest.mark.parametrize("steps", [1, 20, 100])
def test_too_little_is_no_forecast(steps: int) -> None:
    """Minutes say nothing about days."""
    assert not ahead(np.full(steps, 1.0)).known[0]


def test_what_was_not_measured_is_not_counted() -> None:
    """An evening without data is no evening without failures."""
    bad = np.full(STEPS // 2, 2.0)
    bad[-240:-120] = np.nan
    whole = np.full(STEPS // 2, 2.0)
    gap, full = ahead(bad, calendar=CALENDAR), ahead(whole, calendar=CALENDAR)
    assert gap.gone_ms[0] == pytest.approx(full.gone_ms[0], abs=4 * HOUR_MS)


def test_the_band_holds_the_truth_as_often_as_it_says() -> None:
    """Random failures at a steady rate: 90 % of the bands hold the moment that the rate gives."""
    rate, groups, half = 1.6, 400, STEPS // 2
    bad = np.random.default_rng(7).poisson(rate, (groups, half)).astype(float)
    found = ahead(bad, calendar=CALENDAR)
    truth = (STEPS - bad.sum(axis=1)) / rate * STEP_MS
    inside = (found.earliest_ms <= truth) & (truth <= found.latest_ms)
    assert 0.85 <= inside.mean() <= 0.99
