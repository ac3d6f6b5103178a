"""What incidents say of the response, stored like everybody else's metrics."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from collectors.model import DSTYPE, Batch, SeriesKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.totals import totals


def incident_metrics(incidents: Iterable[Incident], now_ms: int) -> Batch:
    """Return the gauges of :func:`runbooks.incidents.totals.totals` as they stand now."""
    told = [*totals(incidents, now_ms)]
    gauge = {"statistic": "gauge", DSTYPE: SeriesKind.GAUGE.value}
    return Batch(
        series=[{"name": one.name, **one.tags, **gauge} for one in told],
        series_index=np.arange(len(told), dtype=np.int32),
        time_ms=np.full(len(told), now_ms, dtype=np.int64),
        value=np.array([one.value for one in told], dtype=np.float64),
    )
