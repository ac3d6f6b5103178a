"""Atlas's percentile buckets, and how foreign histograms are spread over them.

Boundaries follow Netflix spectator's ``PercentileBuckets``: 1, 2, 3, then for every power of four
``p`` steps of ``p / 3``, the last reaching to the largest 64-bit integer. Values are nanoseconds
for timers (``T``) and plain amounts for distribution summaries (``D``).
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_left, bisect_right
from itertools import pairwise

import numpy as np

from collectors.model import FloatArray

MAX_AMOUNT = 2**63 - 1

# A share below this of a source bucket goes to the neighbour above: the lowest source bucket, for
# instance 0 to 5 ms, spans a hundred target buckets of which a dozen hold nearly all of it.
SMALLEST_SHARE = 0.03


@functools.cache
def lower_bounds() -> tuple[int, ...]:
    """Return the 276 inclusive lower bounds; bucket ``i`` is ``[bound[i], bound[i + 1])``.

    >>> len(lower_bounds()), lower_bounds()[:9]
    (276, (0, 1, 2, 3, 4, 5, 6, 7, 8))
    """
    bounds = [0, 1, 2, 3]
    for exponent in range(2, 62, 2):
        power = 1 << exponent
        step = power // 3
        bounds.extend(range(power, (power << 2) - step, step))
    return tuple(bounds)


@functools.cache
def _position_of_powers() -> tuple[int, ...]:
    bounds = lower_bounds()
    inner = [bounds.index(1 << exponent) - 1 for exponent in range(2, 62, 2)]
    return (0, *inner, len(bounds) - 1)


def bucket_of(amount: int) -> int:
    """Return the index of the bucket that holds ``amount``, exactly as spectator computes it.

    It differs from the bounds for the last few amounts below a power of four, which integer
    division puts one bucket higher; clients do the same, so we must.

    >>> [f"{bucket_of(ns):04X}" for ns in (1_000_000, 10_000_000, 1_000_000_000)]
    ['0056', '0064', '0083']
    """
    if amount <= 4:
        return max(0, amount)
    power = (min(amount, MAX_AMOUNT).bit_length() - 1) // 2
    base = 1 << (2 * power)
    offset = (amount - base) // (base // 3)
    return min(_position_of_powers()[power] + offset + 1, len(lower_bounds()) - 1)


@functools.lru_cache(maxsize=256)
def spread(edges: tuple[float, ...], scale: float) -> FloatArray:
    """Return how source buckets spread over Atlas's, in proportion to overlap.

    Args:
        edges: Ascending edges; source bucket ``i`` is ``(edges[i], edges[i + 1]]``. An infinite
            edge makes its bucket fall whole into the one beside its finite edge.
        scale: What multiplies an edge to give the target's unit (1e9 for seconds to ns).

    Returns:
        Weights of shape (source buckets, 276) whose rows add up to 1.
    """
    weights = np.zeros((len(edges) - 1, len(lower_bounds())))
    for row, (low, high) in enumerate(pairwise(edges)):
        for bucket, share in share_of(low * scale, high * scale).items():
            weights[row, bucket] = share
    return weights


def share_of(lo: float, hi: float) -> dict[int, float]:
    """Return the share of ``(lo, hi]`` in each Atlas bucket; the shares add up to 1."""
    lo = max(lo, 0.0)
    bounds = lower_bounds()
    if hi <= lo or hi == math.inf:
        whole = lo if hi > lo else max(hi, 0.0)
        return {bisect_right(bounds, whole) - 1: 1.0}
    first, last = bisect_right(bounds, lo) - 1, bisect_left(bounds, hi) - 1
    shares: dict[int, float] = {}
    carried = 0.0
    for bucket in range(first, last + 1):
        upper = bounds[bucket + 1] if bucket + 1 < len(bounds) else math.inf
        carried += max(0.0, min(hi, upper) - max(lo, bounds[bucket])) / (hi - lo)
        if carried >= SMALLEST_SHARE:
            shares[bucket] = carried
            carried = 0.0
    if not shares:
        return {last: 1.0}
    shares[max(shares)] += carried
    return shares
