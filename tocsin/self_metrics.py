"""What tocsin says of itself, stored like everybody else's metrics."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
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
_MAX_KINDS = 50


def self_metrics(
    collectors: Collectors,
    lags_ms: Mapping[str, int],
    ways: Mapping[Target, bool],
    now_ms: int,
    *,
    faults: Mapping[str, bool],
    escalation: Mapping[str, float] | None = None,
    refused: bool = False,
    delays: Mapping[str, float] | None = None,
) -> Batch:
    """Return what receivers took and refused, how much is held and waits, how late rules judge.

    Counters: ``tocsin.receiver.accepted`` and ``.refused`` with the reason. Gauges:
    ``tocsin.store.series``, ``tocsin.store.spans``, ``tocsin.process.peakMemory`` (bytes), and
    with history ``tocsin.history.spansWaiting`` and ``tocsin.history.spansBehind`` (1 while the
    journal has spans that history lacks). ``tocsin.watch.lag`` (s) is how far behind rules are
    beyond what they wait for their senders, the longest by kind of rule. ``tocsin.way.failing`` is
    1 while a way to people takes no pages, of each way that was tried. ``tocsin.fault`` is 1 while
    something of our own machine fails, of each that has failed. ``tocsin.escalation.taken`` counts
    steps since the start; ``.waiting`` are due, ``.stalled`` for long; ``.exhausted`` were not
    answered. ``tocsin.clock.ahead`` (s) is how far our time is ahead of the machine's clock,
    ``tocsin.clock.steps`` how often that was set. ``tocsin.configuration.refused`` is 1 while the
    files on the disk have mistakes and an older configuration is in force. ``tocsin.own.steal``
    and ``.waiting`` are the shares of the machine's and of our own time that others had, ``.late``
    (s) how late our heartbeat came.

    Args:
        collectors: What is held.
        lags_ms: How far behind rules are, by kind.
        ways: Which ways to people fail.
        faults: What of our own machine fails.
        escalation: How escalations stand, by the metric's name.
        now_ms: The present.
        refused: Whether the last reading of the configuration was refused.
        delays: How we are held up, by the metric's name.
    """
    counted = collectors.stats.news(now_ms)
    gauges = _gauges(collectors, escalation or {}) | {"configuration.refused": float(refused)}
    gauges |= delays or {}
    lags = dict(islice(lags_ms.items(), _MAX_KINDS))
    tags = [*_tags(gauges, lags, ways, faults)]
    series, more = len(counted.series), len(tags)
    own = np.arange(series, series + more, dtype=np.int32)
    return Batch(
        series=[*counted.series, *tags],
        series_index=np.concatenate([counted.series_index, own]),
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


def _tags(
    gauges: Iterable[str], kinds: Iterable[str], ways: Iterable[Target], faults: Iterable[str]
) -> Iterator[dict[str, str]]:
    """Yield the tags of each gauge, in the order of their values."""
    gauge = {"statistic": "gauge", DSTYPE: SeriesKind.GAUGE.value}
    yield from ({"name": _PREFIX + name, **gauge} for name in gauges)
    yield from ({"name": _PREFIX + "watch.lag", "kind": kind, **gauge} for kind in kinds)
    for way in ways:
        yield {"name": FAILING_METRIC, "notifier": way.notifier, "channel": way.channel, **gauge}
    yield from ({"name": FAULT_METRIC, "what": what, **gauge} for what in faults)


def _gauges(collectors: Collectors, escalation: Mapping[str, float]) -> dict[str, float]:
    gauges: dict[str, float] = {
        "store.series": collectors.metrics.series_count,
        "store.spans": collectors.spans.span_count,
        "spans.tailKept": sum(collectors.spans.tail_kept.values()),
        "process.peakMemory": _peak_memory_bytes(),
        **{f"escalation.{name}": value for name, value in escalation.items()},
    }
    if isinstance(collectors.clock, SteadyClock):
        gauges["clock.ahead"] = collectors.clock.ahead_ms / 1_000
        gauges["clock.steps"] = collectors.clock.steps
    gauges["store.logs"] = collectors.logs.store.line_count
    gauges["spans.redacted"] = sum(collectors.span_writer.counts.values())
    gauges["logs.redacted"] = sum(collectors.logs.store.redactor.counts.values())
    if collectors.logs.keeper is not None:
        gauges["history.logsWaiting"] = collectors.logs.keeper.waiting
        gauges["history.logsBehind"] = collectors.logs.keeper.behind
    if collectors.span_keeper is not None:
        gauges["history.spansWaiting"] = collectors.span_keeper.waiting
        gauges["history.spansBehind"] = collectors.span_keeper.behind
    return gauges


def _peak_memory_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB
