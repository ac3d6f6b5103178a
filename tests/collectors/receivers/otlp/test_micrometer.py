"""What Micrometer's OTLP registry sends: its units, its timers without bounds, its attributes."""

from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collectors.receivers.testing.otlp import CUMULATIVE, DELTA, HandExporter

RESOURCE = {
    "service.name": "till",
    "telemetry.sdk.name": "io.micrometer",
    "telemetry.sdk.language": "java",
    "telemetry.sdk.version": "1.14.0",
}


def shaped(step: int, temporality: int) -> bytes:
    """Return the ``step``-th export of an application with a counter, a timer and two gauges."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    for key, value in RESOURCE.items():
        group.resource.attributes.add(key=key).value.string_value = value
    metrics = group.scope_metrics.add().metrics
    times = step if temporality == CUMULATIVE else 1
    hits = metrics.add(name="cache.gets", unit="").sum
    hits.is_monotonic, hits.aggregation_temporality = True, temporality  # type: ignore[assignment]
    for name, count in (("books", 3.0), ("films", 4.0)):
        point: Any = hits.data_points.add(as_double=count * times)
        point.attributes.add(key="name").value.string_value = name
        point.attributes.add(key="result").value.string_value = "hit"
        stamp(point, step, temporality)
    timer = metrics.add(name="http.server.requests", unit="milliseconds").histogram
    timer.aggregation_temporality = temporality  # type: ignore[assignment]
    timed: Any = timer.data_points.add(count=5 * times, sum=1_000.0 * times, max=300.0)
    timed.attributes.add(key="uri").value.string_value = "/api/v1/{id}"
    stamp(timed, step, temporality)
    pool: Any = metrics.add(name="pool.size").gauge.data_points.add(as_double=7.0)
    stamp(pool, step, temporality)
    return request.SerializeToString()


def stamp(point: Any, step: int, temporality: int) -> None:
    start_s = 100 if temporality == CUMULATIVE else 90 + 10 * step
    point.start_time_unix_nano = start_s * 10**9
    point.time_unix_nano = (100 + 10 * step) * 10**9


@pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
def test_what_micrometer_sends_is_what_is_read(temporality: int) -> None:
    """Caches would be one, times a thousand times too long, percentiles made up."""
    exporter = HandExporter()
    receipts = [exporter.receiver.export(shaped(step, temporality)) for step in (1, 2, 3)]
    assert [receipt.rejected for receipt in receipts] == [[], [], []]
    told = {w.reason for receipt in receipts for w in receipt.warnings}
    assert told == {"histogramUnbounded"}

    def counted(**tags: str) -> float:
        if temporality == CUMULATIVE:
            return exporter.seconds(**tags)[-1][1]
        return sum(value for _, _, value in exporter.parts(**tags))

    assert counted(name="cache.gets", exported_name="books") == 9
    assert counted(name="cache.gets", exported_name="films") == 12
    requests = {"name": "http.server.requests", "uri": "/api/v1/{id}"}
    assert counted(**requests, statistic="count") == 15
    assert counted(**requests, statistic="totalTime") == pytest.approx(3.0)
    assert exporter.seconds(**requests, statistic="max")[0] == (110, 0.3)
    assert exporter.store.series(statistic="percentile") == []
    assert exporter.seconds(name="pool.size")[-1] == (130, 7.0)
    assert {tags["service.name"] for tags in exporter.store.series()} == {"till"}


def test_a_counter_without_a_type_stays_a_counter_by_way_of_the_collector() -> None:
    """The Collector sends what a page has no type for as a gauge, with a note of that."""
    exporter = HandExporter()

    def fill(word: str) -> Any:
        def one(metric: Any) -> None:
            metric.metadata.add(key="prometheus.type").value.string_value = word
            metric.gauge.data_points.add(as_int=5, time_unix_nano=110 * 10**9)

        return one

    for name, word in (
        ("jobs_total", "unknown"),
        ("lat_bucket", "untyped"),
        ("odd_total", "gauge"),
        ("temp", "unknown"),
    ):
        exporter.export(fill(word), name=name)
    kinds = {tags["name"]: tags["atlas.dstype"] for tags in exporter.store.series()}
    assert kinds == {
        "jobs_total": "counter",
        "lat_bucket": "counter",
        "odd_total": "gauge",
        "temp": "gauge",
    }
