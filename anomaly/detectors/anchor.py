"""The anchor: what was usual some time ago, beside a baseline that follows what happens.

A baseline that follows in minutes follows a slow decline down, and is never far from it. Beside it
stands a much slower one, judged coarsely: by the share that has been lost of it. This is the slow
half of a two-timescale moving average, as control charts of Roberts's kind (1959) pair them.
"""

from __future__ import annotations

import math

from collectors.kernel import inlined

MOST = 1.5
"""An anchor's score is never so high that it needs no confirmation by a second step."""


@inlined
def lost_share(x: float, anchor: float, limit: float, share: float) -> float:
    """Return how far ``x`` is below ``anchor``, in units of the limit, at most ``MOST``.

    Args:
        x: What is seen.
        anchor: What was usual.
        limit: Smallest distance that is not noise.
        share: Share of the anchor that must be lost.
    """
    least = max(limit, share * anchor)
    if not anchor > 0.0 or not least > 0.0:
        return 0.0
    return min(MOST, max(0.0, (anchor - x) / least))


@inlined
def followed(anchor: float, x: float, seen: float, alpha: float) -> float:
    """Return the anchor after ``x``; early values weigh equally.

    Args:
        anchor: Before.
        x: What is seen.
        seen: Values taken in so far, ``x`` included.
        alpha: Weight of a value later on.
    """
    return anchor + max(alpha, 1.0 / max(1.0, seen)) * (x - anchor)


def slow_alpha(half_life_steps: float, half_lives: float) -> float:
    """Return the weight of a value in an anchor that forgets so many times more slowly.

    NaN for no anchor at all, when ``half_lives`` is 0.
    """
    if half_lives <= 0:
        return math.nan
    return 1.0 - float(0.5 ** (1.0 / (half_life_steps * half_lives)))
