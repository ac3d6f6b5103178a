"""Which session each trace belongs to: the one that any span of it names."""

from __future__ import annotations

import numpy as np

from collectors.model import IntArray
from collectors.traces.query.columns import SpanBlock
from collectors.traces.traceql.query import Field


def sessions_of(block: SpanBlock, by: Field) -> tuple[IntArray, list[str]]:
    """Return (spans,) the number of each span's session, -1 for none, and their names.

    An attribute that stands on one span of a trace, as on its root, is that of the whole trace. Of
    a trace that names several sessions each span that names one is of that, the others of the last.
    """
    column = block.texts(by)
    codes = column.codes.astype(np.int64)
    of_trace = np.full(block.trace_count, -1, dtype=np.int64)
    np.maximum.at(of_trace, block.trace, codes)
    return np.where(codes >= 0, codes, of_trace[block.trace]), list(column.texts)
