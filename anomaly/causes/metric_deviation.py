"""How far every metric of every service is from what it was: who else moved, and who moved first.

Without calls nothing tells who depends on whom. What remains is that the cause moves no later than
what it causes: services are ranked by when their first metric left its noise, then by how far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray

OFF_SIGMAS = 8.0
"""From when on a metric counts as off: many are looked at, so that chance has many tries."""

_MIN_BEFORE = 10
_MIN_CHANGE = 0.5
_SIGMAS_THAT_COUNT = 50.0
_LATER = 0.7
_MAD_TO_STD = 1.4826
_IQR_TO_STD = 1.349
_FLOOR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDeviation:
    """A metric of a service that is off.

    Attributes:
        service: Whose.
        metric: Its name.
        usual: Its value before, in the median.
        level: Its value in the frame, in the median; NaN when it has none any more.
        sigmas: How far that is, in its noise before, 50 at most.
        onset: First step of the frame in which it is off.
    """

    service: str
    metric: str
    usual: float
    level: float
    sigmas: float
    onset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedService:
    """A service with metrics that are off, those that moved first and most at the front."""

    service: str
    share: float
    metrics: tuple[MetricDeviation, ...]


def metric_deviations(
    names: Sequence[tuple[str, str]], before: FloatArray, now: FloatArray
) -> list[MetricDeviation]:
    """Return the metrics that are off, in the order of onset, then of how far, then of names.

    The noise is robust (median absolute deviation and quartiles) and never below the twentieth part
    of the usual value, nor below what chance makes of small counts.

    Args:
        names: Service and metric of each row.
        before: (rows, steps) of health, NaN where nothing was measured.
        now: (rows, steps) of the frame.
    """
    if not names or not now.shape[1]:
        return []
    known = np.isfinite(before).sum(axis=1) >= _MIN_BEFORE
    rows = np.flatnonzero(known)
    if not len(rows):
        return []
    usual = np.nanmedian(before[rows], axis=1)
    spread = _MAD_TO_STD * np.nanmedian(np.abs(before[rows] - usual[:, None]), axis=1)
    low, high = np.nanpercentile(before[rows], (25, 75), axis=1)
    floor = np.maximum(_FLOOR * np.abs(usual), np.finfo(np.float64).tiny)
    largest = np.nanmax(np.abs(before[rows]), axis=1) / 3.0
    scale = np.max([spread, (high - low) / _IQR_TO_STD, floor, largest * (usual == 0)], axis=0)
    # A metric that has fallen silent is as far off as one that has fallen to nothing.
    seen = np.where(np.isfinite(now[rows]), now[rows], 0.0)
    distance = np.abs(seen - usual[:, None])
    enough = distance > np.maximum(_MIN_CHANGE * np.abs(usual), scale)[:, None]
    # What has never been anything but nothing has no noise: it is off by the most that counts.
    with np.errstate(over="ignore"):
        sigmas = np.minimum(distance / scale[:, None], _SIGMAS_THAT_COUNT)
    off = (sigmas > OFF_SIGMAS) & enough
    lasting = off.mean(axis=1) >= _MIN_CHANGE
    found = [
        MetricDeviation(
            service=names[row][0],
            metric=names[row][1],
            usual=float(usual[at]),
            level=_level(now[row]),
            sigmas=float(np.median(sigmas[at])),
            onset=int(np.argmax(off[at])),
        )
        for at, row in enumerate(rows.tolist())
        if lasting[at]
    ]
    found.sort(key=lambda one: (one.onset, -one.sigmas, *_names(one)))
    return found


def moved_services(found: Sequence[MetricDeviation]) -> tuple[MovedService, ...]:
    """Return the services whose metrics are off, those that moved first and most at the front.

    Args:
        found: In the order of :func:`metric_deviations`.
    """
    by_service: dict[str, list[MetricDeviation]] = {}
    for one in found:
        by_service.setdefault(one.service, []).append(one)
    scores = {
        service: max(one.sigmas * _LATER**one.onset for one in some)
        for service, some in by_service.items()
    }
    total = sum(scores.values())
    ranked = sorted(scores, key=lambda service: (-scores[service], service))
    return tuple(
        MovedService(
            service=service, share=scores[service] / total, metrics=tuple(by_service[service])
        )
        for service in ranked
    )


def _level(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _names(one: MetricDeviation) -> tuple[str, str]:
    return one.service, one.metric
