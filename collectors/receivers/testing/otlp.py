"""An OTLP exporter that writes its points by hand, for tests of what they become."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collectors.limits import Limits
from collectors.model import Receipt
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore

DELTA, CUMULATIVE = 1, 2


class HandExporter:
    """Exports one metric a call to a receiver over a :class:`FakeStore`; times are in seconds."""

    def __init__(self, limits: Limits | None = None, **options: Any) -> None:
        self.store = FakeStore()
        self.stats = ReceiverStats()
        self.receiver = OtlpMetrics(self.store, limits or Limits(), self.stats, **options)

    def export(
        self, fill: Any, name: str = "m", unit: str = "", scope: str = "", **resource: str
    ) -> Receipt:
        """Export the metric that ``fill`` fills in; resource keys have ``_`` for dots."""
        request = ExportMetricsServiceRequest()
        group = request.resource_metrics.add()
        for key, value in resource.items():
            attribute = group.resource.attributes.add(key=key.replace("_", "."))
            attribute.value.string_value = value
        metrics = group.scope_metrics.add()
        metrics.scope.name = scope
        fill(metrics.metrics.add(name=name, unit=unit))
        return self.receiver.export(request.SerializeToString())

    def sum(
        self,
        value: float,
        start_s: float,
        time_s: float,
        temporality: int = CUMULATIVE,
        monotonic: bool = True,
        path: str = "",
        **sender: str,
    ) -> Receipt:
        """Export one point of a sum; ``sender`` may name scope and resource."""

        def fill(metric: Any) -> None:
            metric.sum.aggregation_temporality = temporality
            metric.sum.is_monotonic = monotonic
            point = metric.sum.data_points.add(as_double=value)
            place(point, start_s, time_s, path)

        return self.export(fill, **sender)

    def gauge(self, value: float, time_s: float, **sender: str) -> Receipt:
        """Export one point of a gauge."""
        return self.export(
            lambda metric: place(metric.gauge.data_points.add(as_double=value), 0, time_s), **sender
        )

    def histogram(
        self,
        counts: list[int],
        bounds: list[float],
        start_s: float,
        time_s: float,
        temporality: int = CUMULATIVE,
        unit: str = "s",
        scope: str = "",
        **fields: float,
    ) -> Receipt:
        """Export one point of an explicit-bucket histogram."""

        def fill(metric: Any) -> None:
            metric.histogram.aggregation_temporality = temporality
            point = metric.histogram.data_points.add(
                bucket_counts=counts, explicit_bounds=bounds, count=sum(counts), **fields
            )
            place(point, start_s, time_s)

        return self.export(fill, unit=unit, scope=scope)

    def seconds(self, **tags: str) -> list[tuple[float, float]]:
        """Return (time in seconds, value) of the stored samples with these tags."""
        return [(t / 1_000, round(v, 6)) for t, v in self.store.samples(**tags)]

    def parts(self, **tags: str) -> list[tuple[float, float, float]]:
        """Return (start, time in seconds, value) of the stored parts with these tags."""
        return [
            (start / 1_000, time / 1_000, round(value, 6))
            for start, time, value in self.store.parts(**tags)
        ]


def place(point: Any, start_s: float, time_s: float, path: str = "") -> None:
    """Give a point its times and perhaps an attribute ``path``."""
    point.start_time_unix_nano = int(start_s * 1e9)
    point.time_unix_nano = int(time_s * 1e9)
    if path:
        point.attributes.add(key="path").value.string_value = path
