"""Samples and parts on their way from a batch into the blocks, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.model import Batch, FloatArray, IndexArray, IntArray, Receipt
from collectors.store.blocks.hot_tier import HotTier
from collectors.store.series.kinds import SUM


class Columns(NamedTuple):
    """N samples, or N parts if they have starts.

    Attributes:
        series: (N,) ids, or positions in a batch.
        start_ms: (N,) when each part began, None for samples.
        time_ms: (N,) times.
        value: (N,) values.
        whole: Whether counters that fall count whole, as Prometheus has it.
    """

    series: IndexArray
    start_ms: IntArray | None
    time_ms: IntArray
    value: FloatArray
    whole: bool

    def chosen(self, chosen: NDArray[np.bool_]) -> Columns:
        """Return the chosen rows; the columns themselves when that is all."""
        if chosen.all():
            return self
        return Columns(
            self.series[chosen],
            None if self.start_ms is None else self.start_ms[chosen],
            self.time_ms[chosen],
            self.value[chosen],
            self.whole,
        )


def rows_of(batch: Batch) -> list[Columns]:
    """Return a batch's samples, then its parts if it has any."""
    whole, parts = batch.whole_resets, batch.parts
    rows = [Columns(batch.series_index, None, batch.time_ms, batch.value, whole)]
    if parts is not None and len(parts):
        rows.append(Columns(parts.series_index, parts.start_ms, parts.time_ms, parts.value, whole))
    return rows


def apply_columns(hot: HotTier, columns: Columns) -> None:
    """Put samples or parts into the blocks."""
    series, start_ms, time_ms, value, whole = columns
    if start_ms is None:
        hot.apply(series, time_ms, value, whole=whole)
    else:
        hot.apply_parts(series, start_ms, time_ms, value)


def repeatable(hot: HotTier, ids: IndexArray) -> IndexArray:
    """Return ``ids`` with -1 in the place of series whose samples add up when they come twice."""
    adding = hot.blocks.arrays.kind[np.maximum(ids, 0)] == SUM
    return np.where(adding, np.int32(-1), ids).astype(np.int32)


def joined(receipts: Sequence[Receipt]) -> Receipt:
    """Return what became of all together."""
    if len(receipts) == 1:
        return receipts[0]
    return Receipt(
        accepted=sum(receipt.accepted for receipt in receipts),
        rejected=[rejection for receipt in receipts for rejection in receipt.rejected],
    )
