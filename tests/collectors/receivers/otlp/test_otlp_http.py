"""OTLP/HTTP as a protocol: encodings, media types, compression, limits and answers."""

import gzip
import zlib
from typing import Any

import orjson
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.testclient import TestClient

from collectors.limits import Limits
from collectors.receivers.otlp.http import JSON, PROTOBUF, otlp_app
from collectors.receivers.testing.fakes import FakeStore

PATHS = ("/v1/traces", "/v1/metrics", "/v1/logs")
TRACE_ID = "5B8EFFF798038103D269B633813FC60C"


def client_of(store: FakeStore, max_in_flight: int = 64) -> TestClient:
    limits = Limits(max_body_bytes=100_000, max_in_flight=max_in_flight)
    return TestClient(otlp_app(store, store, limits))


def span_json(**changes: Any) -> bytes:
    span = {
        "traceId": TRACE_ID,
        "spanId": "EEE19B7EC3C1B174",
        "parentSpanId": "",
        "name": "play",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": 1_700_000_000_500_000_000,
        "attributes": [
            {"key": "n", "value": {"intValue": "7"}},
            {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}]}}},
        ],
        "status": {"code": 2, "message": "no"},
        "someNewField": {"deep": [1, {"x": None}]},
        "dropped_attributes_count": 4,
        **changes,
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "edge"}}]}
    group = {"resource": resource, "scopeSpans": [{"spans": [span]}]}
    return orjson.dumps({"resourceSpans": [group]})


def span_protobuf(count: int = 1) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i in range(1, count + 1):
        spans.add(
            trace_id=b"t" * 16,
            span_id=i.to_bytes(8, "big"),
            start_time_unix_nano=1,
            end_time_unix_nano=2,
        )
    return request.SerializeToString()


def test_json_spans() -> None:
    """Hexadecimal ids in any case, integer enums, integers as text or number, unknown fields."""
    store = FakeStore()
    response = client_of(store).post(
        "/v1/traces", content=span_json(), headers={"content-type": JSON}
    )
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == JSON
    (span,) = store.spans
    assert (span.trace_id, span.span_id) == (TRACE_ID.lower(), "eee19b7ec3c1b174")
    assert (span.service, span.name, span.kind, span.status) == ("edge", "play", "server", "error")
    assert span.duration_ns == 500_000_000
    assert span.attributes == {"n": 7, "list": ["a"]}


def test_json_metrics() -> None:
    """Exporters that send JSON would be refused, or lose all for one bad point."""
    store = FakeStore()
    point = {"asDouble": 0.5, "timeUnixNano": "1700000000000000000"}
    metrics = [
        {"name": "cpu", "gauge": {"dataPoints": [point]}},
        {"name": "bad", "sum": {"dataPoints": [{**point, "asInt": "3"}], "isMonotonic": True}},
    ]
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    response = client_of(store).post("/v1/metrics", json=body)
    assert "invalidPoint (1): " in response.json()["partialSuccess"]["errorMessage"]
    store.batches.clear()
    del metrics[1]["sum"]["dataPoints"][0]["asDouble"]  # type: ignore[index]
    response = client_of(store).post("/v1/metrics", json=body)
    assert response.json()["partialSuccess"]["rejectedDataPoints"] == "1"
    assert "temporalityUnspecified" in response.json()["partialSuccess"]["errorMessage"]
    assert store.samples(name="cpu") == [(1_700_000_000_000, 0.5)]


@pytest.mark.parametrize("name", ["traceId", "spanId", "parentSpanId"])
def test_an_id_that_is_not_hexadecimal_costs_one_span(name: str) -> None:
    """One bad id would lose the whole batch."""
    store = FakeStore()
    document = orjson.loads(span_json())
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append({**spans[0], name: "not hex"})
    answer = client_of(store).post("/v1/traces", json=document).json()["partialSuccess"]
    assert answer["rejectedSpans"] == "1"
    assert "is not" in answer["errorMessage"]
    assert len(store.spans) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"resourceSpans": 7}', b"[" * 5_000])
def test_json_that_is_broken(body: bytes) -> None:
    """A stranger's body would be an internal error."""
    response = client_of(FakeStore()).post(
        "/v1/traces", content=body, headers={"content-type": JSON}
    )
    assert response.status_code == 400


def test_json_nested_without_end() -> None:
    """A deeply nested body would overflow the stack."""
    deep = b'{"x":' * 900 + b"1" + b"}" * 900
    response = client_of(FakeStore()).post(
        "/v1/traces", content=deep, headers={"content-type": JSON}
    )
    assert (response.status_code, "nested" in response.json()["message"]) == (400, True)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("media", [PROTOBUF, JSON])
def test_an_empty_request_succeeds(path: str, media: str) -> None:
    """Exporters that flush nothing would log errors and retry."""
    response = client_of(FakeStore()).post(path, content=b"", headers={"content-type": media})
    assert (response.status_code, response.headers["content-type"]) == (200, media)


@pytest.mark.parametrize(
    "media", [f"{PROTOBUF}; charset=utf-8", "Application/X-Protobuf", f" {PROTOBUF} ;x=y"]
)
def test_only_the_media_type_counts(media: str) -> None:
    """A parameter or capitals in the header would refuse good data."""
    store = FakeStore()
    response = client_of(store).post(
        "/v1/traces", content=span_protobuf(), headers={"content-type": media}
    )
    assert (response.status_code, response.content, len(store.spans)) == (200, b"", 1)


@pytest.mark.parametrize("media", ["", "text/plain", "application/grpc", "application/xml"])
def test_other_media_types(media: str) -> None:
    """What can't be read would be taken for an empty request."""
    response = client_of(FakeStore()).post(
        "/v1/traces", content=span_protobuf(), headers={"content-type": media}
    )
    assert response.status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods(method: str) -> None:
    """A health check by GET would be answered as if it were data."""
    response = client_of(FakeStore()).request(
        method, "/v1/metrics", headers={"content-type": PROTOBUF}
    )
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "use POST" in Status.FromString(response.content).message


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(span_protobuf()), 200),
        ("GZIP", gzip.compress(span_protobuf()), 200),
        ("gzip", gzip.compress(span_protobuf()) + gzip.compress(b""), 200),
        ("deflate", zlib.compress(span_protobuf()), 200),
        ("identity", span_protobuf(), 200),
        ("", span_protobuf(), 200),
        ("gzip", span_protobuf(), 400),
        ("gzip", gzip.compress(span_protobuf())[:-9], 400),
        ("br", span_protobuf(), 415),
        ("gzip", gzip.compress(b"\0" * 50_000_000), 413),
        ("", b"\0" * 200_000, 413),
    ],
    # A compressed body holds the time: as a name it would differ between the tests' processes.
    ids=[
        "gzip",
        "capitals",
        "two-members",
        "deflate",
        "identity",
        "none",
        "not-gzip",
        "cut-short",
        "unknown",
        "bomb",
        "too-large",
    ],
)
def test_compression(encoding: str, body: bytes, status: int) -> None:
    """Bombs are stopped at the limit; errors are protobuf Statuses."""
    headers = {"content-type": PROTOBUF, "content-encoding": encoding}
    response = client_of(FakeStore()).post("/v1/traces", content=body, headers=headers)
    assert response.status_code == status
    if status != 200:
        assert Status.FromString(response.content).message


def test_partial_success_in_protobuf() -> None:
    """An exporter would not learn which spans were refused, or send all again."""
    request = ExportTraceServiceRequest.FromString(span_protobuf(3))
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"\0" * 16
    request.resource_spans[0].scope_spans[0].spans[2].start_time_unix_nano = 0
    store = FakeStore()
    response = client_of(store).post(
        "/v1/traces", content=request.SerializeToString(), headers={"content-type": PROTOBUF}
    )
    answer = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, answer.rejected_spans, len(store.spans)) == (200, 2, 1)
    assert "trace_id" in answer.error_message


def test_a_store_that_refuses_makes_a_partial_success() -> None:
    """What the store refuses would be acknowledged as kept."""
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for name in ("good", "bad"):
        metrics.add(name=name).gauge.data_points.add(as_int=1, time_unix_nano=10**18)
    store = FakeStore(refuse_names=frozenset({"bad"}))
    response = client_of(store).post(
        "/v1/metrics", content=request.SerializeToString(), headers={"content-type": PROTOBUF}
    )
    answer = ExportMetricsServiceResponse.FromString(response.content).partial_success
    assert answer.rejected_data_points == 1
    assert answer.error_message.startswith("refusedByTest (1)")


def test_logs_are_answered_counted_and_not_kept() -> None:
    """A collector that sends logs too would stop for good."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO")
    response = client_of(FakeStore()).post(
        "/v1/logs", content=request.SerializeToString(), headers={"content-type": PROTOBUF}
    )
    answer = ExportLogsServiceResponse.FromString(response.content).partial_success
    assert (response.status_code, answer.rejected_log_records) == (200, 1)
    assert "not kept" in answer.error_message


def test_too_many_requests_at_once() -> None:
    """An overload is a 503 with Retry-After, never a 500."""
    client = client_of(FakeStore(), max_in_flight=0)
    for media in (PROTOBUF, JSON):
        response = client.post("/v1/traces", content=b"", headers={"content-type": media})
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.headers["content-type"] == media
