"""Whether far more is asked than usual: then nobody below need be ill for answers to suffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray

_MIN_BEFORE = 10
_MIN_FACTOR = 1.5
_MIN_SIGMAS = 6.0
_FLOOR = 0.05
_MAD_TO_STD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """More requests than ever.

    Attributes:
        usual: Requests a step before.
        now: Requests a step in the frame.
        onset: First step of the frame beyond the usual noise.
    """

    usual: float
    now: float
    onset: int

    @property
    def factor(self) -> float:
        """How many times the usual."""
        return self.now / self.usual


def surge(before: FloatArray, now: FloatArray) -> Surge | None:
    """Return by how much requests have risen; None when that is within what they did before.

    The noise of what was learned is taken by its median absolute deviation, and is no less than
    chance makes of so many requests (their square root).

    >>> surge(np.full(20, 100.0), np.full(4, 260.0)).factor
    2.6
    >>> surge(np.full(20, 100.0), np.full(4, 110.0)) is None
    True

    Args:
        before: (steps,) requests of health.
        now: (steps,) requests of the frame.
    """
    learned = before[before > 0]
    if len(learned) < _MIN_BEFORE or not len(now):
        return None
    usual = float(np.median(learned))
    spread = _MAD_TO_STD * float(np.median(np.abs(learned - usual)))
    scale = max(spread, usual**0.5, _FLOOR * usual)
    level = float(np.median(now))
    if level < _MIN_FACTOR * usual or level - usual < _MIN_SIGMAS * scale:
        return None
    beyond = np.flatnonzero(now - usual > _MIN_SIGMAS / 2 * scale)
    return Surge(usual=usual, now=level, onset=int(beyond[0]) if len(beyond) else 0)
