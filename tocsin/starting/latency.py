"""Which of a service's metrics measures how long requests take, and which of them are fast."""

from __future__ import annotations

import math
from typing import Protocol

from tocsin.client.graphs import Graph
from tocsin.client.wording import duration
from tocsin.starting.indicator import Indicator
from tocsin.starting.seen import Seen, Server

_HISTOGRAMS = (
    *("http.server.request.duration", "http.server.duration"),
    *("rpc.server.call.duration", "rpc.server.duration", "messaging.process.duration"),
)
_SECONDS = ("_seconds", "_duration", "_latency")
# Half of all values can't lie above twice their mean; buckets blur the median by a tenth or so.
_MAX_MEDIAN_TO_MEAN = 2.3


class Asked(Server, Protocol):
    """What of :class:`tocsin.client.client.ApiClient` is asked."""

    def graph(
        self, query: str, *, start: str | int, end: str | int = "now", step_s: int | None = None
    ) -> Graph:
        """Return the lines of an expression."""
        ...


def latency(server: Asked, seen: Seen, threshold_s: float) -> Indicator | None:
    """Return how to tell the requests that take at most ``threshold_s``; None if nothing can."""
    for metric in (*_HISTOGRAMS, *sorted(seen.metrics)):
        if metric in seen.metrics and _has_percentiles(server, seen, metric):
            return _by_percentiles(server, seen, metric, threshold_s)
    for metric in sorted(seen.metrics):
        stem = metric.removesuffix("_bucket")
        if stem != metric and stem.endswith(_SECONDS) and f"{stem}_count" in seen.metrics:
            found = _by_bounds(server, seen, stem, threshold_s)
            if found is not None:
                return found
    return None


def _has_percentiles(server: Server, seen: Seen, metric: str) -> bool:
    """Return whether a metric is a histogram of times."""
    values = server.tags("percentile", query=seen.of(metric))
    return any(value.startswith("T") for value in values)


def _by_percentiles(server: Asked, seen: Seen, metric: str, threshold_s: float) -> Indicator:
    series = seen.of(metric)
    return Indicator(
        kind="latency",
        title=f"requests answered within {duration(threshold_s)}",
        metric=metric,
        part=f"{series},0,{threshold_s:g},:sample-count",
        total=f"{series},statistic,percentile,:eq,:and,:sum",
        why=f"{metric} up to {duration(threshold_s)} counts as good, to within a bucket of 12 %",
        doubts=tuple(filter(None, [bucket_doubt(server, series, metric)])),
    )


def bucket_doubt(server: Asked, series: str, metric: str) -> str:
    """Return why a histogram's buckets can't be believed, empty if they can.

    No half of positive values lies above twice their mean (Markov's inequality). A median beyond
    says that the buckets are too wide for what is in them, as the SDKs' default ones on seconds.
    """
    median = _latest(server, f"{series},(,50,),:percentiles")
    mean = _latest(server, f"{series},:dist-avg")
    if not (median > _MAX_MEDIAN_TO_MEAN * mean > 0):
        return ""
    return (
        f"the buckets of {metric} are too wide: half of all requests would take more than "
        f"{duration(median)} while the mean is {duration(mean)}. Create the histogram with "
        "explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, "
        "0.75, 1, 2.5, 5, 7.5, 10] (seconds), or add a View with these bounds"
    )


def _latest(server: Asked, expression: str) -> float:
    graph = server.graph(expression, start="e-15m")
    values = [float(v) for line in graph.lines for v in line.values if math.isfinite(v)]
    return values[-1] if values else math.nan


def _by_bounds(server: Server, seen: Seen, stem: str, threshold_s: float) -> Indicator | None:
    """Return the indicator of a classic Prometheus histogram: by the nearest bound that it has."""
    texts = server.tags("le", query=seen.of(f"{stem}_bucket"))
    bounds = {float(text): text for text in texts if text != "+Inf"}
    if not bounds:
        return None
    bound = min(bounds, key=lambda one: abs(math.log(max(one, 1e-9) / threshold_s)))
    moved = "" if bound == threshold_s else f" (the bound nearest to {duration(threshold_s)})"
    return Indicator(
        kind="latency",
        title=f"requests answered within {duration(bound)}",
        metric=stem,
        part=f"{seen.of(f'{stem}_bucket')},le,{bounds[bound]},:eq,:and,:sum",
        total=f"{seen.of(f'{stem}_count')},:sum",
        why=f"{stem} up to {duration(bound)}{moved} counts as good",
    )
