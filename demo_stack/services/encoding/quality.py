"""The gate that a rendition passes before anybody may see it."""

from __future__ import annotations

import math
from enum import StrEnum

MIN_SSIM = 0.91
"""Structural similarity to the source below which a rendition looks broken (0 to 1)."""

TRIES = 2
RAISE = 1.6
"""What the bit rate is multiplied by for another try."""


class Verdict(StrEnum):
    """What happens to a rendition."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    DROPPED = "dropped"


def judge(ssim: float, attempt: int, minimum: float = MIN_SSIM) -> Verdict:
    """Return what happens to a rendition that was measured.

    Args:
        ssim: Its similarity to the source, 0 to 1; not a number counts as broken.
        attempt: 1-based number of this try.
        minimum: The similarity that it needs.

    >>> [judge(0.95, 1).value, judge(0.5, 1).value, judge(0.5, 2).value]
    ['accepted', 'retry', 'dropped']
    """
    if not math.isnan(ssim) and ssim >= minimum:
        return Verdict.ACCEPTED
    return Verdict.RETRY if attempt < TRIES else Verdict.DROPPED


def rate_of(kbps: int, attempt: int) -> int:
    """Return the bit rate of a try, in thousands a second."""
    return round(kbps * RAISE ** (attempt - 1))
