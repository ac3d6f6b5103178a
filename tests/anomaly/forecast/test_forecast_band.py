"""Bands are as wide as they say, on lines of four kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from anomaly.forecast.band import FEWEST, forecast
from collectors.errors import InputError
from collectors.model import FloatArray

PAST, AHEAD, DAY = 240, 24, 24
Line = Callable[[np.random.Generator], FloatArray]
STEPS = np.arange(PAST + AHEAD)
LINES: dict[str, Line] = {
    "a trend": lambda rng: 10 + 0.5 * STEPS + rng.normal(0, 3, len(STEPS)),
    "a day": lambda rng: 100 + 30 * np.sin(STEPS * 2 * np.pi / DAY) + rng.normal(0, 4, len(STEPS)),
    "a walk": lambda rng: 100 + rng.normal(0, 1, len(STEPS)).cumsum(),
    "counts": lambda rng: rng.poisson(50, len(STEPS)).astype(np.float64),
}


@pytest.mark.parametrize("kind", LINES)
def test_a_band_holds_what_it_says(kind: str) -> None:
    """A band that is too narrow promises what nobody can know."""
    held, said = [], []
    for seed in range(5):
        line = LINES[kind](np.random.default_rng(seed))
        found = forecast(line[:PAST], AHEAD, DAY)
        came = line[PAST:]
        held.append(((came >= found.low) & (came <= found.high)).mean())
        said.append(found.measured)
    assert np.mean(held) >= 0.65  # 0.8 stated, of 120 values that depend on each other
    assert abs(np.mean(held) - np.mean(said)) <= 0.2


def test_gaps_are_bridged_and_too_many_refused() -> None:
    """A day of maintenance would forbid a forecast, or a line of gaps allow one."""
    line = LINES["a trend"](np.random.default_rng(1))[:PAST]
    line[50:60] = np.nan
    assert np.isfinite(forecast(line, AHEAD).likeliest).all()
    line[::2] = np.nan
    line[1::4] = np.nan
    with pytest.raises(InputError, match="too few"):
        forecast(line, AHEAD)
    with pytest.raises(InputError, match="a forecast takes at least"):
        forecast(line[: FEWEST - 1], AHEAD)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_constant_goes_on(value: float) -> None:
    """A line that never moves is the easiest, and must not fail for lack of noise."""
    found = forecast(np.full(PAST, value), AHEAD, DAY)
    assert found.likeliest == pytest.approx(value, abs=1e-6)
    assert found.high == pytest.approx(value, abs=1e-6)


def test_a_band_never_becomes_narrower() -> None:
    """Farther ahead less is known, beyond what could be tried as well."""
    line = LINES["a walk"](np.random.default_rng(4))[:PAST]
    found = forecast(line, 200)
    width = found.high - found.low
    assert (np.diff(width) >= -1e-9).all()
    assert len(width) == 200
