"""When a budget will be gone if it goes on as it did of late, with the band of what is not known.

The recent part of the period is cut into blocks. Their mean rate of bad events says how fast the
budget goes; how far they lie apart, and how few bad events there were at all, says how sure that
is. The rate is then carried on: in a rolling period old events leave while new ones come, in one of
the calendar they only come. Pure functions of arrays, all groups at once.

The band is one of 90 %: Student's over the blocks, and never narrower than Poisson's for so many
bad events (E. B. Wilson and M. M. Hilferty, "The distribution of chi-square", 1931).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.slo.period import Spent
from collectors.model import FloatArray, IntArray

BLOCKS = 12
_MIN_BLOCKS = 4
_POINTS = 65
_NORMAL = 1.645
# 95 % quantiles of Student's distribution by degrees of freedom, 3 to 11.
_STUDENT = (2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When budgets will be gone, shape (groups,) each, in milliseconds from now.

    Attributes:
        known: Whether enough was measured to say anything.
        gone_ms: At the rate of late; 0 if it is gone, infinite if it lasts.
        earliest_ms: At the highest rate that the band holds.
        latest_ms: At the lowest.
        horizon_ms: How far it looks: a rolling period's length, or what is left of the calendar's.
        basis_ms: How far back it looks for the rate.
    """

    known: NDArray[np.bool_]
    gone_ms: FloatArray
    earliest_ms: FloatArray
    latest_ms: FloatArray
    horizon_ms: int
    basis_ms: int


def block_edges(steps: int) -> IntArray:
    """Return the ends of at most ``BLOCKS`` blocks of the newest ``steps``, shape (blocks,)."""
    edges = np.round(np.linspace(0, steps, min(steps, BLOCKS) + 1)[1:]).astype(np.int64)
    return np.unique(np.maximum(edges, 1))


def forecast(
    spent: Spent, recent: FloatArray, edges: IntArray, *, budget: float, step_ms: int
) -> Forecast:
    """Return when the budgets will be gone.

    Args:
        spent: What was counted of the period.
        recent: Sums over the newest ``edges`` steps, shape (3, groups, edges): bad events, all
            events, measured steps.
        edges: Their lengths, from :func:`block_edges`.
        budget: Share of events that may be bad.
        step_ms: Length of a step.
    """
    blocks = np.diff(recent, axis=2, prepend=0.0)
    measured = blocks[2] > 0
    known = measured.sum(axis=1) >= _MIN_BLOCKS
    low, mean, high = _rates(blocks, measured)
    traffic = _ratio(recent[1, :, -1], recent[2, :, -1])
    ahead, kept = _kept(spent, step_ms)
    gone, earliest, latest = (
        _first_over(_consumed(kept, ahead, rate, traffic, spent.steps * budget), ahead)
        for rate in (mean, high, low)
    )
    return Forecast(
        known=known,
        gone_ms=gone * step_ms,
        earliest_ms=earliest * step_ms,
        latest_ms=latest * step_ms,
        horizon_ms=round(float(ahead[-1]) * step_ms),
        basis_ms=int(edges[-1]) * step_ms,
    )


def _rates(
    blocks: FloatArray, measured: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return bad events a step: lowest, mean and highest, shape (groups,)."""
    bad, steps = blocks[0].sum(axis=1), blocks[2].sum(axis=1)
    mean = _ratio(bad, steps)
    each = np.where(measured, _ratio(blocks[0], blocks[2]), mean[:, np.newaxis])
    count = np.maximum(measured.sum(axis=1), 2)
    spread = np.sqrt(((each - mean[:, np.newaxis]) ** 2).sum(axis=1) / (count - 1) / count)
    student = np.array(_STUDENT)[np.clip(count - 1, 3, 11) - 3] * spread
    fewest, most = _poisson_band(bad)
    low = np.minimum(np.maximum(mean - student, 0.0), _ratio(fewest, steps))
    return low, mean, np.maximum(mean + student, _ratio(most, steps))


def _poisson_band(count: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the expected numbers of which ``count`` could just be so few, or so many.

    >>> [np.round(side, 1).tolist() for side in _poisson_band(np.array([0.0, 10.0]))]
    [[0.0, 5.4], [3.0, 17.0]]
    """
    some = np.maximum(count, 1e-9)
    fewest = some * np.maximum(1 - 1 / (9 * some) - _NORMAL / (3 * np.sqrt(some)), 0.0) ** 3
    more = count + 1
    most = more * (1 - 1 / (9 * more) + _NORMAL / (3 * np.sqrt(more))) ** 3
    return np.where(count > 0, fewest, 0.0), most


def _kept(spent: Spent, step_ms: int) -> tuple[FloatArray, FloatArray]:
    """Return times ahead, steps, and what is counted now and still in the period then.

    Shapes (points,) and (3, groups, points).
    """
    if not len(spent.ages):
        ahead = np.linspace(0, spent.left_ms / step_ms, _POINTS)
        return ahead, np.repeat(spent.sums[:, :, np.newaxis], _POINTS, axis=2)
    ages = spent.ages[::-1]
    gone = np.zeros((*spent.sums.shape, 1))
    kept = np.concatenate([spent.newest[:, :, ::-1], gone], axis=2)
    return np.concatenate([spent.steps - ages, [spent.steps]]).astype(np.float64), kept


def _consumed(
    kept: FloatArray, ahead: FloatArray, rate: FloatArray, traffic: FloatArray, allowed: float
) -> FloatArray:
    """Return the share of the budget of the whole period that is spent then, (groups, points)."""
    bad = kept[0] + rate[:, np.newaxis] * ahead
    total = kept[1] + traffic[:, np.newaxis] * ahead
    return _ratio(bad, _ratio(total, kept[2] + ahead) * allowed)


def _first_over(consumed: FloatArray, ahead: FloatArray) -> FloatArray:
    """Return when each is spent, between two points by proportion; infinite if never."""
    over = consumed >= 1.0
    at = over.argmax(axis=1)
    rows = np.arange(len(consumed))
    before = np.maximum(at - 1, 0)
    low, high = consumed[rows, before], consumed[rows, at]
    share = np.clip(_ratio(1.0 - low, high - low), 0.0, 1.0)
    found = ahead[before] + share * (ahead[at] - ahead[before])
    return np.where(over.any(axis=1), np.where(at == 0, 0.0, found), np.inf)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0)
