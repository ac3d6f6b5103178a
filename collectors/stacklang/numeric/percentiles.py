"""The buckets in which spectator's percentile meters count, and estimates from their counts.

There are 276: 1, 2, 3, then for each power of four steps of a third of it. A bucket holds values
below its bound and not below the bound of the one before.
See ``PercentileBuckets`` in Netflix/spectator.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from collectors.model import FloatArray, IntArray
from collectors.percentile_buckets import bucket_of

_LONG_MAX = 2**63 - 1


def _bounds() -> list[int]:
    bounds = [1, 2, 3]
    for exponent in range(2, 62, 2):
        current = 1 << exponent
        delta = current // 3
        following = (current << 2) - delta
        while current < following:
            bounds.append(current)
            current += delta
    return [*(bound for bound in bounds if bound < _LONG_MAX), _LONG_MAX]


BOUNDS: IntArray = np.array(_bounds(), dtype=np.int64)
COUNT = len(BOUNDS)


def bucket_index(value: float) -> int:
    """Return the index of the bucket that holds ``value``, as spectator's clients compute it.

    >>> hex(bucket_index(1e9))
    '0x83'
    """
    return bucket_of(_LONG_MAX if value >= _LONG_MAX else max(0, int(value)))


@njit(cache=True, nogil=True)
def _estimate(
    counts: FloatArray, buckets: IntArray, bounds: FloatArray, percents: FloatArray
) -> FloatArray:
    used, steps = counts.shape
    wanted = len(percents)
    out = np.full((wanted, steps), np.nan)
    for step in range(steps):
        total = 0.0
        for row in range(used):
            total += counts[row, step]
        if total <= 0.0:
            continue
        done = 0
        seen = 0.0
        seen_percent = 0.0
        for row in range(used):
            count = counts[row, step]
            if count == 0.0:
                continue
            bucket = buckets[row]
            low = bounds[bucket - 1] if bucket > 0 else 0.0
            percent = 100.0 * (seen + count) / total
            while done < wanted and percent >= percents[done]:
                share = (percents[done] - seen_percent) / (percent - seen_percent)
                out[done, step] = share * (bounds[bucket] - low) + low
                done += 1
            seen += count
            seen_percent = percent
        # Rounding may leave the last sum a hair below 100.
        while done < wanted:
            out[done, step] = bounds[buckets[used - 1]]
            done += 1
    return out


def estimate_percentiles(counts: FloatArray, buckets: IntArray, percents: FloatArray) -> FloatArray:
    """Estimate percentiles by linear interpolation within a bucket.

    Args:
        counts: Shape (buckets used, steps); what is not a finite number counts as zero.
        buckets: Index of each row's bucket, ascending.
        percents: Percentiles between 0 and 100, ascending.

    Returns:
        Shape (percentiles, steps), NaN where nothing was counted.
    """
    clean = np.where(np.isfinite(counts), counts, 0.0)
    estimates: FloatArray = _estimate(
        clean, buckets.astype(np.int64), BOUNDS.astype(np.float64), percents
    )
    return estimates
