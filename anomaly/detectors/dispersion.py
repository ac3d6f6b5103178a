"""Dispersion: how much burstier a series of counts is than chance alone makes it.

Variance over mean, a running mean of squared Pearson residuals (McCullagh and Nelder, "Generalized
Linear Models", 1989, section 4.5): 1.0 for independent events. Evidence of burstier ones counts for
less.
"""

from __future__ import annotations

import math

from collectors.kernel import inlined

_WEIGHT = 0.02
_MOST = 16.0
"""A deviation beyond 4 sigma, of those usual so far, says something about this step alone."""


@inlined
def learned_dispersion(dispersion: float, squared: float, seen: float) -> float:
    """Return the dispersion after one more step.

    Args:
        dispersion: Before.
        squared: The squared distance from what was expected, over the variance that chance makes.
        seen: Steps learned from, this one included.
    """
    weight = max(_WEIGHT, 1.0 / max(1.0, seen - 1.0))
    return dispersion + weight * (min(_MOST * max(1.0, dispersion), squared) - dispersion)


@inlined
def burstiness(dispersion: float, seen: float) -> float:
    """Return the dispersion as far as it is proven: 1.0 for chance alone, more only when certain.

    The estimate's own standard error for Poisson counts; two of them are not held against it.
    """
    weight = max(_WEIGHT, 1.0 / max(1.0, seen - 1.0))
    return max(1.0, dispersion - 2.0 * math.sqrt(2.0 * weight / (2.0 - weight)))
