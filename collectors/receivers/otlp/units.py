"""Where the units of an export request stand, so that one that is wrong is left out alone.

A *unit* is what a sender is told about by number: a span, a data point, a log record; and, within a
point, an exemplar. A *container* holds units or further containers. Both of OTLP's encodings are
mended along these lines.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.model import Rejection
from collectors.receivers.work.refusals import Refusals

_CONTAINERS = frozenset(
    f"opentelemetry.proto.{name}"
    for name in (
        "collector.trace.v1.ExportTraceServiceRequest",
        "trace.v1.ResourceSpans",
        "trace.v1.ScopeSpans",
        "collector.metrics.v1.ExportMetricsServiceRequest",
        "metrics.v1.ResourceMetrics",
        "metrics.v1.ScopeMetrics",
        "metrics.v1.Metric",
        "metrics.v1.Gauge",
        "metrics.v1.Sum",
        "metrics.v1.Histogram",
        "metrics.v1.ExponentialHistogram",
        "metrics.v1.Summary",
        "collector.logs.v1.ExportLogsServiceRequest",
        "logs.v1.ResourceLogs",
        "logs.v1.ScopeLogs",
    )
)
_UNITS: Mapping[str, str] = {
    "Span": "invalidSpan",
    "NumberDataPoint": "invalidPoint",
    "HistogramDataPoint": "invalidPoint",
    "ExponentialHistogramDataPoint": "invalidPoint",
    "SummaryDataPoint": "invalidPoint",
    "LogRecord": "invalidLogRecord",
    "Exemplar": "invalidExemplar",
}
_EXEMPLAR = "Exemplar"


@dataclass(slots=True, kw_only=True)
class Flaws:
    """What is wrong with a request: units that are lost, and what is told besides."""

    rejections: list[Rejection] = field(default_factory=Refusals)
    warnings: list[Rejection] = field(default_factory=Refusals)

    def lose(self, unit: Any, count: int, detail: str, reason: str = "") -> None:
        """Note units that are lost.

        Args:
            unit: Descriptor of a unit or of a container of some.
            count: How many units.
            detail: Why.
            reason: In one word; without it by the sort of unit.
        """
        reason = reason or _UNITS.get(unit.name, "invalidGroup")
        if unit.name == _EXEMPLAR:  # its point is kept
            self.warnings.append(Rejection(reason=reason, detail=detail, count=count))
        elif count:
            self.rejections.append(Rejection(reason=reason, detail=detail, count=count))

    def warn(self, reason: str, detail: str) -> None:
        """Note something that costs nothing."""
        self.warnings.append(Rejection(reason=reason, detail=detail))


def is_unit(descriptor: Any) -> bool:
    """Return whether messages of this type are told about by number."""
    return descriptor.name in _UNITS and descriptor.name != _EXEMPLAR


@functools.cache
def parts_by_json_name(descriptor: Any) -> Mapping[str, Any]:
    """Return the fields of a message that hold units or containers, by their names in JSON."""
    return {found.json_name: found for found in _parts(descriptor)}


@functools.cache
def parts_by_number(descriptor: Any) -> Mapping[int, Any]:
    """Return the fields of a message that hold units or containers, by number."""
    return {found.number: found for found in _parts(descriptor)}


def _parts(descriptor: Any) -> Iterable[Any]:
    for found in descriptor.fields:
        inner = found.message_type
        if inner is not None and (inner.full_name in _CONTAINERS or inner.name in _UNITS):
            yield found
