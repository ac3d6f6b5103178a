"""The store as rules see it: what they record goes in as any other samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anomaly.prometheus_rules.evaluating import Sample
from anomaly.rules.ground import WritableSamples
from collectors.errors import StorageError
from collectors.model import DSTYPE, Batch, FloatArray, SeriesKind
from collectors.prometheus_labels import prometheus_tags
from collectors.promql.notation.series import STALE
from collectors.promql.samples.columns import STALE_BITS, Source

_TOLD = 3


class StoredRules:
    """A :class:`~anomaly.prometheus_rules.evaluating.RuleStore` over the store of all.

    Args:
        store: The store.
    """

    def __init__(self, store: WritableSamples) -> None:
        self._store = store

    def samples(self) -> Source:
        """Return what there is now."""
        return self._store.samples()

    def keep(self, samples: Sequence[Sample], time_ms: int) -> str:
        """Write samples of a time, as gauges: what a rule computes is what it shows."""
        count = len(samples)
        batch = Batch(
            series=[{**prometheus_tags(key), DSTYPE: SeriesKind.GAUGE.value} for key, _ in samples],
            series_index=np.arange(count, dtype=np.int32),
            time_ms=np.full(count, time_ms, dtype=np.int64),
            value=_bits(samples),
            whole_resets=True,  # as Prometheus sends them: each with its own time and end
        )
        try:
            receipt = self._store.write(batch)
        except StorageError as error:
            return f"not recorded: {error.message}"
        if not receipt.rejected:
            return ""
        told = "; ".join(f"{one.reason}: {one.detail}" for one in receipt.rejected[:_TOLD])
        return f"{receipt.rejected_count} of {count} samples not recorded: {told}"


def _bits(samples: Sequence[Sample]) -> FloatArray:
    """Return values as an array in which the end of a series keeps its bits."""
    found = np.array([value for _, value in samples], dtype=np.float64)
    ends = [at for at, (_, value) in enumerate(samples) if value is STALE]
    found.view(np.int64)[ends] = STALE_BITS
    return found
