"""Whether a line follows days or weeks: its past taken apart into trend, seasons and the rest.

By statsmodels' STL (Cleveland et al., 1990) where there are days, and MSTL (Bandara, Hyndman and
Bergmeir, 2021) where there are weeks. A season counts when it is strong (Wang, Smith and Hyndman,
2006: one less the share of variance that it leaves) beyond 0.64, the limit of Hyndman's nsdiffs,
and when the seasons before tell the newest one: short noise taken apart always looks seasonal.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from collectors.model import FloatArray

DAY, WEEK = 24, 168
FEWEST_DAYS, FEWEST_WEEKS = 3, 3
STRONG = 0.64
TELLING = 0.3
_MISSING_SHARE = 0.5
_NAMES = {DAY: "day", WEEK: "week"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What was found.

    Attributes:
        hours: Length of the season; 0: none was found.
        strength: How strong it is, 0 to 1; 0 for none.
        days: How much of the past was measured.
        enough: Whether that is enough to say that there is none.
        words: The same for people.
    """

    hours: int = 0
    strength: float = 0.0
    days: float = 0.0
    enough: bool = False
    words: str = ""


def season_of(hours: FloatArray) -> Season:
    """Return the season of a line, the longest that it has.

    Args:
        hours: Shape (hours,), values by the hour of the clock, oldest first; NaN for nothing.
    """
    there = np.flatnonzero(np.isfinite(hours))
    days = round(len(there) / DAY, 2)
    if not len(there):
        return Season(words="not enough history yet: nothing was measured")
    past = hours[there[0] : there[-1] + 1]
    missing = 1.0 - len(there) / len(past)
    if len(past) < FEWEST_DAYS * DAY or days < FEWEST_DAYS * (1 - _MISSING_SHARE):
        words = f"not enough history yet: {days:g} of {FEWEST_DAYS} days"
        return Season(days=days, words=words)
    if missing > _MISSING_SHARE:
        words = f"not enough history yet: {missing:.0%} of its hours were not measured"
        return Season(days=days, words=words)
    past = _filled(past)
    weeks = len(past) >= FEWEST_WEEKS * WEEK
    if np.ptp(past) <= 1e-9 * float(np.abs(past).max(initial=0.0)):
        return Season(days=days, enough=True, words="it does not move")
    found = {length: _tried(past, length) for length in ((WEEK, DAY) if weeks else (DAY,))}
    later = "" if weeks else f"; a week takes {FEWEST_WEEKS * 7} days, there are {days:g}"
    for length, strength in found.items():
        if strength >= STRONG:
            words = f"a {_NAMES[length]}, strength {strength:.2f} in {days:g} days{later}"
            return Season(hours=length, strength=strength, days=days, enough=True, words=words)
    best = max(found.values())
    words = f"none: strength {best:.2f} in {days:g} days, it takes {STRONG:g}{later}"
    return Season(days=days, enough=True, words=words)


def _tried(past: FloatArray, length: int) -> float:
    """Return the strength of a season, 0 where those before do not tell the newest."""
    trend, season, rest = _apart(past, length)
    whole = float(np.var(rest + season))
    if not whole > 0.0:
        return 0.0
    strength = max(0.0, 1.0 - float(np.var(rest)) / whole)
    return strength if _told_before(past - trend, length) >= TELLING else 0.0


def _apart(past: FloatArray, length: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the trend of a line, its season of a length, and what neither explains."""
    seasonal = import_module("statsmodels.tsa.seasonal")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of seasons that are left out as too long for the past
        if length == DAY:
            parts = seasonal.STL(past, period=DAY, robust=True).fit()
            return parts.trend, parts.seasonal, parts.resid
        parts = seasonal.MSTL(past, periods=(DAY, WEEK)).fit()
    both = np.asarray(parts.seasonal)
    # A week is more than its days: only what they leave speaks for it.
    return parts.trend + both[:, 0], both[:, 1], parts.resid


def _told_before(moving: FloatArray, length: int) -> float:
    """Return the share of the newest season's variance that the mean of those before explains."""
    newest = moving[-length:]
    before = moving[: len(moving) - length]
    rows = before[len(before) % length :].reshape(-1, length)
    off = float(np.square(newest - rows.mean(axis=0)).sum())
    whole = float(np.square(newest - newest.mean()).sum())
    return 1.0 - off / whole if whole > 0.0 else 0.0


def _filled(past: FloatArray) -> FloatArray:
    """Return a past without gaps: what is missing is as the same hour of the nearest days."""
    filled = past.copy()
    for back in range(DAY, len(past), DAY):
        gaps = np.flatnonzero(~np.isfinite(filled))
        if not len(gaps):
            break
        for shift in (-back, back):
            from_ = gaps + shift
            inside = (from_ >= 0) & (from_ < len(past))
            filled[gaps[inside]] = np.where(
                np.isfinite(filled[gaps[inside]]), filled[gaps[inside]], past[from_[inside]]
            )
    level = float(np.nanmean(past))
    return np.where(np.isfinite(filled), filled, level)
