"""Which trace an exemplar's labels name."""

from __future__ import annotations

import re
from collections.abc import Mapping

# OpenMetrics recommends the first name of each; the others are in wide use.
_TRACE_LABELS = ("trace_id", "traceID", "traceId")
_SPAN_LABELS = ("span_id", "spanID", "spanId")
_HEX = re.compile(r"[0-9a-fA-F]{1,32}")


def trace_of(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the ids of trace and span as they are stored, or None if no trace is named.

    >>> trace_of({"traceID": "4BF92F3577B34DA6", "span_id": "00f067aa0ba902b7"})
    ('00000000000000004bf92f3577b34da6', '00f067aa0ba902b7')
    >>> trace_of({"trace_id": "KOO5S4vxi0o"}) is None
    True
    """
    trace_id = _first(labels, _TRACE_LABELS)
    if not _HEX.fullmatch(trace_id):
        return None
    span_id = _first(labels, _SPAN_LABELS)
    known_span = _HEX.fullmatch(span_id) and len(span_id) <= 16
    return trace_id.lower().zfill(32), span_id.lower().zfill(16) if known_span else ""


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
