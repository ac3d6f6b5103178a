"""A forecast with its band, and how often the band has held: all from the line's own past.

From several moments of the past the line is continued and held against what came (rolling origins:
Tashman, 2000). What was missed by, step by step, makes the band, as conformal prediction does
(Vovk, Gammerman and Shafer, 2005): no error is taken to be normal. Each moment is then held against
the band that the others make, and how often it stayed inside is told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anomaly.forecast.course import METHODS, Method, learned
from collectors.errors import InputError
from collectors.model import FloatArray

FEWEST = 24
"""Steps of a past that is worth continuing."""
ORIGINS = 8
STATED = 0.8
_TRIED_SHARE = 0.4
"""Of the past so much is held back to be forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What may come; every array of shape (steps,), in the unit of the line.

    Attributes:
        method: How it was continued.
        season: Steps of the season that was heeded; 0 for none.
        likeliest: The course.
        low: Lower edge of the band.
        high: Upper edge.
        stated: Share of values that the band is meant to hold.
        measured: Share that bands made alike have held in the past; NaN where too little was tried.
        tried: How many values of the past were forecast and compared.
        error: Mean size of what was missed by.
    """

    method: str
    season: int
    likeliest: FloatArray
    low: FloatArray
    high: FloatArray
    stated: float
    measured: float
    tried: int
    error: float


@dataclass(frozen=True, slots=True)
class _Backtest:
    """What a method missed by: (origins, steps), NaN beyond the end of the past."""

    method: Method
    errors: FloatArray

    @property
    def mean(self) -> float:
        return float(np.nanmean(np.abs(self.errors)))


def forecast(past: FloatArray, steps: int, season: int = 0, stated: float = STATED) -> Forecast:
    """Continue a line.

    Args:
        past: Shape (steps,); NaN where nothing was measured, which at most half may be.
        steps: How many to look ahead.
        season: Steps of a season, 0 for none; heeded when the past holds three of them.
        stated: Share of values that the band is to hold.

    Raises:
        InputError: Too little was measured.
    """
    past = _filled(past)
    season = season if season >= 2 and len(past) >= 3 * season else 0
    tests = [_tested(method, past, steps, season) for method in METHODS]
    best = min(tests, key=lambda test: test.mean)  # of equal ones the simpler
    likeliest = learned(best.method, past, season)(past, steps)
    low, high = _edges(best.errors, steps, stated)
    held, tried = _held(best.errors, stated)
    return Forecast(
        method=best.method.name,
        season=season,
        likeliest=likeliest,
        low=likeliest + low,
        high=likeliest + high,
        stated=stated,
        measured=held / tried if tried else math.nan,
        tried=tried,
        error=best.mean,
    )


def _filled(past: FloatArray) -> FloatArray:
    known = np.flatnonzero(np.isfinite(past))
    if len(known) < FEWEST:
        raise InputError(
            f"{len(known)} steps were measured, and a forecast takes at least {FEWEST}: look "
            "farther back, or wait"
        )
    past = past[known[0] : known[-1] + 1]
    there = np.isfinite(past)
    if there.mean() < 0.5:
        raise InputError(
            f"of {len(past)} steps {int(there.sum())} were measured: too few to be continued"
        )
    places = np.arange(len(past))
    filled: FloatArray = np.interp(places, places[there], past[there])
    return filled


def _tested(method: Method, past: FloatArray, steps: int, season: int) -> _Backtest:
    """Return what a method missed by, with what it could know at the first of the moments."""
    first = max(len(past) - round(_TRIED_SHARE * len(past)), min(len(past) - 4, 2 * season + 4))
    origins = np.unique(np.linspace(first, len(past) - 2, ORIGINS).astype(int))
    course = learned(method, past[:first], season)
    reach = min(steps, len(past) - first)
    errors = np.full((len(origins), reach), np.nan)
    for row, origin in enumerate(origins.tolist()):
        seen = past[origin : origin + reach]
        errors[row, : len(seen)] = seen - course(past[:origin], len(seen))
    return _Backtest(method, errors)


def _edges(errors: FloatArray, steps: int, stated: float) -> tuple[FloatArray, FloatArray]:
    """Return how far below and above the course the band reaches, shape (steps,) each.

    What few moments missed by at one step says little: neighbouring steps are pooled, the farther
    out the more of them, and a band never becomes narrower with time. Beyond what could be tried
    it widens as a random walk does.
    """
    reach = errors.shape[1]
    low, high = np.empty(steps), np.empty(steps)
    for step in range(min(steps, reach)):
        around = errors[:, step // 2 : max(step + step // 2, step + 2)]
        found = around[np.isfinite(around)]
        if not len(found):
            low[step], high[step] = low[step - 1], high[step - 1]
            continue
        below, above = _quantiles(found, stated)
        low[step], high[step] = min(0.0, below), max(0.0, above)
    np.minimum.accumulate(low[:reach], out=low[:reach])
    np.maximum.accumulate(high[:reach], out=high[:reach])
    if steps > reach:
        wider = np.sqrt(np.arange(reach + 1, steps + 1) / reach)
        low[reach:], high[reach:] = low[reach - 1] * wider, high[reach - 1] * wider
    return low, high


def _quantiles(errors: FloatArray, stated: float) -> Sequence[float]:
    """Return the quantiles that hold a share, one value beyond the sample's own (conformal)."""
    outside = (1.0 - stated) / 2
    more = (len(errors) + 1) / len(errors)
    ends = max(0.0, 1.0 - (1.0 - outside) * more), min(1.0, (1.0 - outside) * more)
    return [float(value) for value in np.quantile(errors, ends)]


def _held(errors: FloatArray, stated: float) -> tuple[int, int]:
    """Return how many values lay within the band that all other moments make, of how many."""
    held = tried = 0
    if len(errors) < 3:
        return 0, 0
    for row in range(len(errors)):
        low, high = _edges(np.delete(errors, row, axis=0), errors.shape[1], stated)
        own = errors[row]
        there = np.isfinite(own)
        held += int(((own >= low) & (own <= high))[there].sum())
        tried += int(there.sum())
    return held, tried
