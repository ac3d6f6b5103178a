"""What tocsin says of itself, stored like everybody else's metrics."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from itertools import islice

import numpy as np

from collectors.host.steady_clock import SteadyClock
from collectors.model import DSTYPE, Batch, SeriesKind
from runbooks.paging.own_fault import FAULT_METRIC
from runbooks.paging.routing import Target
from runbooks.paging.ways import FAILING_METRIC
from tocsin.collecting import Collectors

_PREFIX = "tocsin."
_KIB = 1_024
_MAX_RULES = 500


def self_metrics(
    collectors: Collectors,
    lags_ms: Mapping[str, int],
    ways: Mapping[Target, bool],
    now_ms: int,
    *,
    faults: Mapping[str, bool],
    refused: bool = False,
) -> Batch:
    """Return what receivers took and refused, how much is held and waits, how late rules judge.

    Counters: ``tocsin.receiver.accepted`` and ``.refused`` with the reason. Gauges:
    ``tocsin.store.series``, ``tocsin.store.spans``, ``tocsin.process.peakMemory`` (bytes), and with
    history ``tocsin.history.spansWaiting`` and ``tocsin.history.spansBehind`` (1 while the journal
    has spans that history lacks). ``tocsin.watch.lag`` (s) is how old the newest judged step is, of
    each rule. ``tocsin.way.failing`` is 1 while a way to people takes no pages, of each way that
    was tried. ``tocsin.fault`` is 1 while something of our own machine fails, of each that has
    failed.
    ``tocsin.clock.ahead`` (s) is how far the time that we go by is ahead of the machine's clock,
    ``tocsin.clock.steps`` how often that was set. ``tocsin.configuration.refused`` is 1 while the
    files on the disk have mistakes and an older configuration is in force.

    Args:
        collectors: What is held.
        lags_ms: How far behind each rule is, by name.
        ways: Which ways to people fail.
        faults: What of our own machine fails.
        now_ms: The present.
        refused: Whether the last reading of the configuration was refused.
    """
    counted = collectors.stats.news(now_ms)
    gauges = _gauges(collectors) | {"configuration.refused": float(refused)}
    lags = dict(islice(lags_ms.items(), _MAX_RULES))
    gauge = {"statistic": "gauge", DSTYPE: SeriesKind.GAUGE.value}
    tags = [{"name": _PREFIX + name, **gauge} for name in gauges]
    tags += [{"name": _PREFIX + "watch.lag", "rule": rule, **gauge} for rule in lags]
    tags += [
        {"name": FAILING_METRIC, "notifier": way.notifier, "channel": way.channel, **gauge}
        for way in ways
    ]
    tags += [{"name": FAULT_METRIC, "what": what, **gauge} for what in faults]
    series, more = len(counted.series), len(tags)
    return Batch(
        series=[*counted.series, *tags],
        series_index=np.concatenate(
            [counted.series_index, np.arange(series, series + more, dtype=np.int32)]
        ),
        time_ms=np.concatenate([counted.time_ms, np.full(more, now_ms, dtype=np.int64)]),
        value=np.concatenate(
            [
                counted.value,
                [*gauges.values()],
                [ms / 1_000 for ms in lags.values()],
                [float(fails) for fails in ways.values()],
                [float(fails) for fails in faults.values()],
            ]
        ),
    )


def _gauges(collectors: Collectors) -> dict[str, float]:
    gauges: dict[str, float] = {
        "store.series": collectors.metrics.series_count,
        "store.spans": collectors.spans.span_count,
        "process.peakMemory": _peak_memory_bytes(),
    }
    if isinstance(collectors.clock, SteadyClock):
        gauges["clock.ahead"] = collectors.clock.ahead_ms / 1_000
        gauges["clock.steps"] = collectors.clock.steps
    if collectors.span_keeper is not None:
        gauges["history.spansWaiting"] = collectors.span_keeper.waiting
        gauges["history.spansBehind"] = collectors.span_keeper.behind
    return gauges


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
