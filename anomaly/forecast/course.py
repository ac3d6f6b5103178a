"""The likeliest course of a line: exponential smoothing with what trend has served it best.

Holt (1957) and Winters (1960), the damped trend of Gardner and McKenzie (1985), by statsmodels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from collectors.model import FloatArray

Course = Callable[[FloatArray, int], FloatArray]
"""Takes a past and a number of steps; returns shape (steps,) that may follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way to continue a line.

    Attributes:
        name: For people.
        trend: Whether it goes on as it went of late.
        damped: Whether that fades.
    """

    name: str
    trend: bool
    damped: bool = False


METHODS = (
    Method(name="no trend", trend=False),
    Method(name="fading trend", trend=True, damped=True),
    Method(name="trend", trend=True),
)


def learned(method: Method, past: FloatArray, season: int) -> Course:
    """Return how to continue any later past, with what is learned from this one.

    Args:
        method: How.
        past: Shape (steps,), all finite.
        season: Steps of a season, 0 for none; the past must hold two of them.
    """
    parameters = _fit(method, past, season, None).params

    def course(later: FloatArray, steps: int) -> FloatArray:
        fitted = _fit(method, later, season, parameters)
        with np.errstate(divide="ignore"):  # of a perfect fit it takes the logarithm of its error
            forecast: FloatArray = np.asarray(fitted.forecast(steps))
        return forecast

    return course


def _fit(
    method: Method, past: FloatArray, season: int, parameters: Mapping[str, Any] | None
) -> Any:
    smoothing = import_module("statsmodels.tsa.holtwinters").ExponentialSmoothing
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Of fits that did not converge; how far they are off is measured afterwards.
        warnings.simplefilter("ignore")
        model = smoothing(
            past,
            trend="add" if method.trend else None,
            damped_trend=method.damped,
            seasonal="add" if season else None,
            seasonal_periods=season or None,
            initialization_method="heuristic" if len(past) >= max(10, 2 * season) else "estimated",
        )
        if parameters is None:
            return model.fit()
        known = {
            name: parameters[name]
            for name in ("smoothing_level", "smoothing_trend", "smoothing_seasonal")
            if parameters.get(name) is not None and np.isfinite(parameters[name])
        }
        if method.damped:
            known["damping_trend"] = parameters["damping_trend"]
        return model.fit(optimized=False, **known)
