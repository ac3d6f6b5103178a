"""Surprise: three improbabilities of one value made one number.

A sum of log probabilities, as Fisher combines tests (1925), weighed by how much each tells. The
longer a series is known, the more often something this rare has been seen by chance alone: that is
taken off.
"""

from __future__ import annotations

import math

from collectors.kernel import inlined

_RESIDUAL, _PATTERN, _QUIET = 0.5, 1.0, 0.4
_AGE = 0.3


@inlined
def surprise(residual: float, pattern: float, quiet: float, seen: float) -> float:
    """Return how surprising a value is; below 0 for what is usual.

    Args:
        residual: log10 of the probability of so large a residual.
        pattern: log10 of the probability of so large a distance from all remembered pairs.
        quiet: log10 of the probability of so little movement.
        seen: Values seen before.
    """
    total = _RESIDUAL * residual + _PATTERN * pattern + _QUIET * quiet
    return -total / (_RESIDUAL + _PATTERN + _QUIET) - _AGE * math.log10(seen + 1.0)
