"""Histograms in seconds with buckets that were made for milliseconds.

OpenTelemetry's SDKs give a histogram that names no bounds the ones of the metrics SDK specification
("Explicit Bucket Histogram Aggregation"): 0, 5, 10, 25 … They suit milliseconds. On a metric in
seconds everything that takes less than five seconds falls into one bucket, and percentiles and
latency objectives say nothing, which looks like an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REASON = "defaultBucketBounds"

_SECONDS = frozenset({"s", "sec", "second", "seconds"})
# The specification's, with and without its last three; older SDKs had no first zero.
_DEFAULT = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000)
_DEFAULTS = frozenset({_DEFAULT, _DEFAULT[1:], _DEFAULT[:11], _DEFAULT[1:11]})
_REMEDY = (
    "set explicit_bucket_boundaries_advisory=[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, "
    "0.75, 1, 2.5, 5, 7.5, 10] where the histogram is created, use a View with these bounds, or "
    "an instrumentation that gives them"
)


def misfit(name: str, unit: str, points: Sequence[Any]) -> str | None:
    """Return what to tell the sender of a histogram with such buckets; None for all others.

    Args:
        name: Of the metric.
        unit: As it was sent.
        points: Its data points; explicit ones have bounds.
    """
    if unit not in _SECONDS or not points or not hasattr(points[0], "explicit_bounds"):
        return None
    if tuple(points[0].explicit_bounds) not in _DEFAULTS:
        return None
    return (
        f"{name} is in seconds, and its buckets begin 0, 5, 10, 25: they are the SDK's default, "
        f"made for milliseconds, so percentiles and latency objectives say nothing; {_REMEDY}"
    )
