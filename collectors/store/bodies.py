"""Remote-write bodies as columns of samples."""

from __future__ import annotations

import numpy as np

from collectors.model import IndexArray, IntArray
from collectors.store.blocks.columns import Columns
from collectors.store.wire.remote_body import SampleColumns


def row_of_each(columns: SampleColumns) -> Columns:
    """Return a body's samples with the row of each in the place of its series."""
    row = np.repeat(np.arange(len(columns.samples), dtype=np.int32), columns.samples)
    return Columns(row, None, columns.time_ms, columns.value, True)


def with_zeros(
    columns: SampleColumns, offsets: IntArray, zeros: IndexArray, start_ms: IntArray
) -> Columns:
    """Return a body's samples with a zero at the start of each of the rows ``zeros``.

    Args:
        columns: R rows of samples.
        offsets: (R,) where the samples of each row begin.
        zeros: Rows.
        start_ms: (R,) when each row's counter began.
    """
    return Columns(
        np.insert(row_of_each(columns).series, offsets[zeros], zeros),
        None,
        np.insert(columns.time_ms, offsets[zeros], start_ms[zeros]),
        np.insert(columns.value, offsets[zeros], 0.0),
        True,
    )
