"""How far a service is from what it was: in its own noise, and in what it costs all callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from collectors.model import FloatArray

_MIN_BEFORE = 10
_MIN_RUN = 2
_RUN_SHARE = 5
_HELD = 0.25
_MAD_TO_STD = 1.4826
_IQR_TO_STD = 1.349
_FLOOR_SLOWER = 0.05
_FLOOR_FAILING = 0.0005


class Symptom(StrEnum):
    """What is wrong: answers take longer, or fail."""

    SLOW = "slow"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSeries:
    """One service over some steps.

    Attributes:
        requests: (steps,) that it was asked.
        level: (steps,) their mean duration in seconds, or the share that failed; NaN for unknown.
    """

    requests: FloatArray
    level: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A service in each run of steps.

    Attributes:
        usual: Its level before.
        scale: Its noise before.
        sigmas: (runs,) what nearly the whole run is above ``usual``, in ``scale``.
        extra: (runs,) what it costs a step beyond the usual: seconds, or failed requests.
        level: (runs,) its level.
        onset: First step of the frame in which it is off by itself; -1 if none.
    """

    usual: float
    scale: float
    sigmas: FloatArray
    extra: FloatArray
    level: FloatArray
    onset: int


def run_steps(steps: int) -> int:
    """Return how many steps in a row something must be off to explain a frame of ``steps``.

    A single step is off now and then in an hour of health; what explains a long frame lasts.

    >>> run_steps(1), run_steps(5), run_steps(60)
    (1, 2, 12)
    """
    return min(steps, max(_MIN_RUN, -(-steps // _RUN_SHARE)))


def deviations(
    before: Mapping[str, NodeSeries],
    now: Mapping[str, NodeSeries],
    symptom: Symptom,
    limit: float,
) -> dict[str, Deviation]:
    """Return how every service that is known of both times deviates.

    Args:
        before: Steps of health.
        now: Steps of the frame, as many of each service.
        symptom: What ``level`` is.
        limit: In ``scale``, from when on a single step counts as the onset.
    """
    found: dict[str, Deviation] = {}
    for name in sorted(now.keys() & before.keys()):
        learned = before[name].level[np.isfinite(before[name].level)]
        if len(learned) >= _MIN_BEFORE and len(now[name].level):
            found[name] = _deviation(now[name], learned, symptom, limit)
    return found


def _deviation(now: NodeSeries, learned: FloatArray, symptom: Symptom, limit: float) -> Deviation:
    usual, scale = float(np.median(learned)), _scale(learned, symptom)
    known = np.isfinite(now.level) & (now.requests > 0)
    more = np.where(known, now.level - usual, 0.0)
    asked = np.where(known, now.requests, 0.0)
    run = run_steps(len(more))
    held = np.quantile(sliding_window_view(more, run), _HELD, axis=1, method="lower") / scale
    extra = sliding_window_view(more * asked, run).mean(axis=1)
    weight = sliding_window_view(asked, run).mean(axis=1)
    off = np.flatnonzero(more / scale > limit)
    return Deviation(
        usual=usual,
        scale=scale,
        sigmas=held,
        extra=extra,
        level=usual + extra / np.maximum(weight, np.finfo(np.float64).tiny),
        onset=int(off[0]) if len(off) else -1,
    )


def _scale(learned: FloatArray, symptom: Symptom) -> float:
    """Return the noise of a level: never so small that a trifle stands out of a flat series."""
    if symptom is Symptom.FAILING:
        return max(float(learned.std()), _FLOOR_FAILING)
    usual = float(np.median(learned))
    low, high = (float(np.percentile(learned, at)) for at in (25, 75))
    spread = _MAD_TO_STD * float(np.median(np.abs(learned - usual)))
    least = max(_FLOOR_SLOWER * usual, float(np.finfo(np.float64).tiny))
    return max(spread, (high - low) / _IQR_TO_STD, least)
