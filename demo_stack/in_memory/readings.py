"""What a pipe that keeps everything has measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.sdk.metrics.export import NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan

from demo_stack.chassis.telemetry import TelemetryPipe

Point = tuple[dict[str, Any], float]
"""Attributes of the resource and of the point, and its value; of a histogram the count."""


def points(pipes: Iterable[TelemetryPipe], metric: str) -> list[Point]:
    """Return every point of a metric, whoever reported it."""
    return [
        (
            {**resource, **(point.attributes or {})},
            point.value if isinstance(point, NumberDataPoint) else point.count,
        )
        for resource, point in _points(pipes, metric)
    ]


def starts(pipes: Iterable[TelemetryPipe]) -> Counter[str]:
    """Return how many streams started, by outcome."""
    found: Counter[str] = Counter()
    for attributes, value in points(pipes, "stream.starts"):
        found[attributes["outcome"]] += int(value)
    return found


def tags(span: ReadableSpan) -> Mapping[str, Any]:
    """Return the attributes of a span."""
    return span.attributes or {}


def origin(span: ReadableSpan) -> Mapping[str, Any]:
    """Return the attributes of the resource that a span comes from."""
    return span.resource.attributes


def _points(pipes: Iterable[TelemetryPipe], metric: str) -> Iterator[tuple[dict[str, Any], Any]]:
    for pipe in pipes:
        for resource in pipe.collect():
            for scope in resource.scope_metrics:
                for one in scope.metrics:
                    if one.name == metric:
                        for point in one.data.data_points:
                            yield dict(resource.resource.attributes), point
