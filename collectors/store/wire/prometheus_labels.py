"""Prometheus labels as Atlas tags.

``__name__`` becomes ``name``; characters outside Atlas's alphabet become ``_``; empty values mean
"absent" as in Prometheus. Remote write 1.0 carries no types, so the kind follows the naming rules
of OpenMetrics: ``_total``, ``_count``, ``_sum`` and ``_bucket`` are cumulative, the rest gauges.
"""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model import DSTYPE, SeriesKind
from collectors.store.validation import legal_text

CUMULATIVE = ("_total", "_count", "_sum", "_bucket")


def prometheus_kind(name: str) -> SeriesKind:
    """Return the kind that a metric's name implies.

    >>> prometheus_kind("http_requests_total")
    <SeriesKind.COUNTER: 'counter'>
    """
    return SeriesKind.COUNTER if name.endswith(CUMULATIVE) else SeriesKind.GAUGE


def prometheus_tags(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return tags for ``labels``; a label called ``name`` is kept as ``exported_name``."""
    tags: dict[str, str] = {}
    for key, value in labels:
        if not value:
            continue
        tags[tag_key(key)] = legal_text(value)
        if key == "__name__":
            tags[DSTYPE] = prometheus_kind(tags["name"])
    return tags


def tag_key(label: str) -> str:
    """Return the tag key that a label's name becomes."""
    if label == "__name__":
        return "name"
    return "exported_name" if label == "name" else legal_text(label)
