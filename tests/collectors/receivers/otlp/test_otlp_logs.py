"""The official exporters of log records against the receivers over real sockets."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from starlette.testclient import TestClient

from collectors.limits import Limits
from collectors.log_batch import unpack
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.testing.fakes import FakeStore, serve

T0 = 1_700_000_000_000_000_000
PROTOBUF, JSON = "application/x-protobuf", "application/json"


@contextmanager
def over_http(store: FakeStore) -> Iterator[LogRecordExporter]:
    with serve(otlp_app(store, store, logs=store)) as url:
        yield OTLPLogExporter(f"{url}/v1/logs", compression=Compression.Gzip)


@contextmanager
def over_grpc(store: FakeStore) -> Iterator[LogRecordExporter]:
    server = OtlpGrpcServer(store, store, logs=store)
    yield GrpcLogExporter(f"127.0.0.1:{server.start(0)}", insecure=True)
    server.stop(0.0)


@pytest.mark.parametrize("transport", [over_http, over_grpc], ids=["http", "grpc"])
def test_what_a_python_program_logs_arrives_whole(transport: object) -> None:
    """A line without its level, trace or attributes explains nothing."""
    store = FakeStore()
    with transport(store) as exporter:  # type: ignore[operator]
        provider = LoggerProvider(Resource.create({"service.name": "shop", "host.name": "n1"}))
        provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            handler = LoggingHandler(logger_provider=provider)
        logger = logging.getLogger("shop.stock")
        logger.addHandler(handler)
        tracer = TracerProvider().get_tracer("t")
        with tracer.start_as_current_span("reserve") as span:
            logger.warning("no %s left", "jackets", extra={"warehouse": 7})
            context = span.get_span_context()
        try:
            int("broken")
        except ValueError:
            logger.exception("failed")
        logger.removeHandler(handler)
        provider.shutdown()
    first, second = store.logs
    assert first.bodies == ["no jackets left"]
    assert (first.severity[0], first.levels[0]) == (13, "WARN")
    assert (first.trace_ids[0], first.span_ids[0]) == (
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
    )
    assert (first.flags[0], second.flags[0]) == (context.trace_flags, 0)
    assert first.origins[0].service == "shop"
    assert unpack(first.origins[0].resource)["host.name"] == "n1"
    assert first.origins[0].scope_name == "shop.stock"
    assert unpack(first.attributes[0])["warehouse"] == "7"
    assert second.severity[0] == 17
    assert "ValueError: invalid literal" in unpack(second.attributes[0])["exception.stacktrace"]


def _posted(store: FakeStore, request: object, **limits: int) -> tuple[int, str]:
    """Return what was refused, and why."""
    app = otlp_app(store, store, Limits(**limits), logs=store)
    content = request.SerializeToString()  # type: ignore[attr-defined]
    answer = TestClient(app).post("/v1/logs", content=content, headers={"content-type": PROTOBUF})
    assert answer.status_code == 200
    told = ExportLogsServiceResponse.FromString(answer.content).partial_success
    return told.rejected_log_records, told.error_message


def test_what_is_odd_is_kept_and_told() -> None:
    """One field that is wrong would cost a line, or the sender would never hear of it."""
    request, store = ExportLogsServiceRequest(), FakeStore()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(observed_time_unix_nano=T0, severity_text="Warning", trace_id=b"short")
    records.add(time_unix_nano=T0, severity_number=99).body.string_value = "x" * 50
    structured = records.add(time_unix_nano=T0, event_name="checkout").body
    structured.kvlist_value.values.add(key="a").value.int_value = 1
    rejected, message = _posted(store, request, max_log_chars=20)
    [found] = store.logs
    assert rejected == 0
    for reason in ("invalidIds", "severityUnknown", "bodyCut"):
        assert reason in message
    assert found.bodies == ["", "x" * 20, '{"a":1}']
    assert found.severity.tolist() == [13, 0, 0]
    assert found.time_ns.tolist() == [T0, T0, T0]
    assert unpack(found.attributes[2]) == {"event.name": "checkout"}
    assert found.trace_ids == ["", "", ""]


def test_too_many_lines_are_refused_and_the_first_kept() -> None:
    """One request could hold up all the others."""
    request, store = ExportLogsServiceRequest(), FakeStore()
    records = request.resource_logs.add().scope_logs.add().log_records
    for _ in range(5):
        records.add(time_unix_nano=T0)
    rejected, message = _posted(store, request, max_logs_per_request=3)
    assert (rejected, len(store.bodies())) == (2, 3)
    assert "batchTooLarge (2)" in message


def test_json_says_the_same() -> None:
    """A browser's lines would be others than a server's."""
    store = FakeStore()
    record = {
        "timeUnixNano": str(T0),
        "severityNumber": 17,
        "body": {"stringValue": "no stock"},
        "traceId": "0AF7651916CD43DD8448EB211C80319C",
        "spanId": "b7ad6b7169203331",
        "attributes": [{"key": "n", "value": {"intValue": "7"}}],
    }
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    answer = TestClient(otlp_app(store, store, logs=store)).post("/v1/logs", json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    [found] = store.logs
    assert (found.bodies, found.severity.tolist()) == (["no stock"], [17])
    assert found.trace_ids == ["0af7651916cd43dd8448eb211c80319c"]
    assert unpack(found.attributes[0]) == {"n": "7"}
