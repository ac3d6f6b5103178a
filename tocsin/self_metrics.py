"""What tocsin says of itself, stored like everybody else's metrics."""

from __future__ import annotations

import resource
import sys

import numpy as np

from collectors.model import DSTYPE, Batch, SeriesKind
from tocsin.collecting import Collectors

_PREFIX = "tocsin."
_KIB = 1_024


def self_metrics(collectors: Collectors, now_ms: int) -> Batch:
    """Return what receivers took and refused, and how much is held and waits.

    Counters: ``tocsin.receiver.accepted`` and ``.refused`` with the reason. Gauges:
    ``tocsin.store.series``, ``tocsin.store.spans``, ``tocsin.process.peakMemory`` (bytes), and with
    history ``tocsin.history.spansWaiting`` and ``tocsin.history.spansBehind`` (1 while the journal
    has spans that history lacks).
    """
    counted = collectors.stats.news(now_ms)
    gauges = _gauges(collectors)
    tags = [
        {"name": _PREFIX + name, "statistic": "gauge", DSTYPE: SeriesKind.GAUGE.value}
        for name in gauges
    ]
    series, more = len(counted.series), len(tags)
    return Batch(
        series=[*counted.series, *tags],
        series_index=np.concatenate(
            [counted.series_index, np.arange(series, series + more, dtype=np.int32)]
        ),
        time_ms=np.concatenate([counted.time_ms, np.full(more, now_ms, dtype=np.int64)]),
        value=np.concatenate([counted.value, np.array(list(gauges.values()), dtype=np.float64)]),
    )


def _gauges(collectors: Collectors) -> dict[str, float]:
    gauges: dict[str, float] = {
        "store.series": collectors.metrics.series_count,
        "store.spans": collectors.spans.span_count,
        "process.peakMemory": _peak_memory_bytes(),
    }
    if collectors.span_keeper is not None:
        gauges["history.spansWaiting"] = collectors.span_keeper.waiting
        gauges["history.spansBehind"] = collectors.span_keeper.behind
    return gauges


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
