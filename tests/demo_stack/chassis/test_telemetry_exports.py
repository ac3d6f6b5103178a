"""What leaves a process: the official exporters, one request for all instances, second buckets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import DURATION_BOUNDS_S, EXPORT_TIMEOUT_S, otlp_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.turns import until


class Sink:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        received: dict[str, list[bytes]] = {
            path: [] for path in ("/v1/metrics", "/v1/traces", "/v1/logs")
        }

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received[self.path].append(body)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.received = received
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    thread = threading.Thread(target=sink.server.serve_forever)
    thread.start()
    yield sink
    sink.server.shutdown()
    sink.server.server_close()
    thread.join()


def test_all_instances_leave_in_one_request_each_with_its_resource(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Telemetry without its instance's resource can't be told apart."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not be asked
    pipe = otlp_pipe(sink.url)
    for number in (1, 2, 3):
        identity = Identity(service="playback", region="eu-west-1", zone="a", number=number)
        telemetry = pipe.telemetry(identity)
        telemetry.server_duration.record(0.12, {"http.route": "/x"})
        telemetry.tracer.start_span("s").end()
        telemetry.log.info("started")
    pipe.close()
    metrics = ExportMetricsServiceRequest.FromString(sink.received["/v1/metrics"][-1])
    spans = ExportTraceServiceRequest.FromString(sink.received["/v1/traces"][-1])
    lines = ExportLogsServiceRequest.FromString(sink.received["/v1/logs"][-1])
    for parts in (metrics.resource_metrics, spans.resource_spans, lines.resource_logs):
        instances = {
            attribute.value.string_value
            for part in parts
            for attribute in part.resource.attributes
            if attribute.key == "service.instance.id"
        }
        assert instances == {f"playback-eu-west-1-{number}" for number in (1, 2, 3)}
    point = metrics.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0]
    assert tuple(point.explicit_bounds) == DURATION_BOUNDS_S
    filled = [index for index, count in enumerate(point.bucket_counts) if count]
    assert filled == [DURATION_BOUNDS_S.index(0.15)]


def test_metrics_keep_leaving_while_the_process_runs(sink: Sink) -> None:
    """Metrics that leave only at the end are no use to a live monitor."""
    pipe = otlp_pipe(sink.url, interval_s=0.05)
    pipe.telemetry(Identity(service="x")).server_duration.record(0.1)
    steady.run(until(lambda: len(sink.received["/v1/metrics"]) >= 3))
    pipe.close()


def test_a_receiver_that_is_gone_costs_neither_time_nor_errors(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A monitor that is down must not slow or end the platform."""
    pipe = otlp_pipe("http://127.0.0.1:9")
    pipe.telemetry(Identity(service="x")).tracer.start_span("s").end()
    started = time.monotonic()
    pipe.close()
    assert time.monotonic() - started < 4 * EXPORT_TIMEOUT_S  # its own patience, and no more
    caplog.clear()
