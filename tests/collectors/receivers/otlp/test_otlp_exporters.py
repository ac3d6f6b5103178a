"""The official OTLP exporters against the receivers over real sockets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcMetricExporter,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcSpanExporter,
)
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from collectors.model import SpanStatus
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.testing.fakes import FakeStore, serve

RESOURCE = Resource.create(
    {"service.name": "playback", "service.instance.id": "p-1", "cloud.region": "us-east-1"}
)

MakeExporters = Callable[[], tuple[SpanExporter, MetricExporter]]


@contextmanager
def over_http(store: FakeStore) -> Iterator[MakeExporters]:
    with serve(otlp_app(store, store)) as url:
        yield lambda: (
            OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip),
            OTLPMetricExporter(f"{url}/v1/metrics", compression=Compression.Gzip),
        )


@contextmanager
def over_grpc(store: FakeStore) -> Iterator[MakeExporters]:
    server = OtlpGrpcServer(store, store)
    endpoint = f"127.0.0.1:{server.start(0)}"
    yield lambda: (
        GrpcSpanExporter(endpoint, insecure=True),
        GrpcMetricExporter(endpoint, insecure=True),
    )
    server.stop(0.0)


both = pytest.mark.parametrize("transport", [over_http, over_grpc], ids=["http", "grpc"])


@both
def test_spans_arrive_whole(transport: Callable[..., object]) -> None:
    """A span keeps its names, kind, status, attributes, events and resource."""
    store = FakeStore()
    with transport(store) as exporters:  # type: ignore[attr-defined]
        provider = TracerProvider(resource=RESOURCE)
        provider.add_span_processor(SimpleSpanProcessor(exporters()[0]))
        tracer = provider.get_tracer("test", "1.0")
        with tracer.start_as_current_span("GET /play", kind=SpanKind.SERVER) as span:
            span.set_attribute("http.response.status_code", 503)
            span.add_event("retry", {"attempt": 2})
            span.set_status(StatusCode.ERROR, "no capacity")
            with tracer.start_as_current_span("inner"):
                pass
        provider.shutdown()
    inner, outer = store.spans
    assert (outer.service, outer.name, outer.kind) == ("playback", "GET /play", "server")
    assert (outer.status, outer.status_message) == (SpanStatus.ERROR, "no capacity")
    assert outer.attributes == {"http.response.status_code": 503}
    assert outer.events[0].name == "retry"
    assert outer.events[0].attributes == {"attempt": 2}
    assert outer.resource["cloud.region"] == "us-east-1"
    assert (outer.scope_name, outer.scope_version) == ("test", "1.0")
    assert inner.parent_span_id == outer.span_id
    assert inner.trace_id == outer.trace_id
    assert outer.parent_span_id == ""


@both
def test_metrics_become_atlas_series(transport: Callable[..., object]) -> None:
    """Counters, gauges and histograms arrive with Atlas's statistics and percentile buckets."""
    store = FakeStore()
    with transport(store) as exporters:  # type: ignore[attr-defined]
        reader = PeriodicExportingMetricReader(exporters()[1], export_interval_millis=60_000)
        provider = MeterProvider(metric_readers=[reader], resource=RESOURCE)
        meter = provider.get_meter("test")
        meter.create_counter("stream.starts").add(3, {"outcome": "success", "http.route": "/a/{b}"})
        meter.create_gauge("queue.depth").set(7.5)
        meter.create_up_down_counter("sessions").add(-2)
        histogram = meter.create_histogram(
            "http.server.request.duration",
            unit="s",
            explicit_bucket_boundaries_advisory=[0.1, 0.2, 0.5],
        )
        for seconds in (0.05, 0.15, 0.15, 3.0):
            histogram.record(seconds)
        provider.force_flush()
        provider.shutdown()
    starts = store.series(name="stream.starts")[0]
    assert starts == {
        "name": "stream.starts",
        "statistic": "count",
        "atlas.dstype": "counter",
        "outcome": "success",
        "http.route": "/a/{b}",
        "service.name": "playback",
        "service.instance.id": "p-1",
        "cloud.region": "us-east-1",
    }
    assert [v for _, v in store.samples(name="stream.starts")][:2] == [0.0, 3.0]
    assert store.samples(name="queue.depth", atlas_dstype="gauge")[0][1] == 7.5
    assert store.samples(name="sessions", atlas_dstype="gauge")[0][1] == -2
    name = "http.server.request.duration"
    assert [v for _, v in store.samples(name=name, statistic="count")][:2] == [0.0, 4.0]
    assert store.samples(name=name, statistic="totalTime")[1][1] == pytest.approx(3.35)
    first_export = store.batches[0]
    in_buckets = sum(
        value
        for index, value in zip(first_export.series_index, first_export.value, strict=True)
        if first_export.series[index].get("statistic") == "percentile"
    )
    assert in_buckets == pytest.approx(4.0)
