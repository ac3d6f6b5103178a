"""One unit that is wrong costs itself and nothing else: every kind of fault, in both encodings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.limits import Limits
from collectors.model import ADJUSTED
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import JSON, PROTOBUF, otlp_app
from collectors.receivers.otlp.json import to_protobuf
from collectors.receivers.otlp.spans import OtlpSpans
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore, serve

NOW_NS = 1_700_000_000_000_000_000
Document = dict[str, Any]


class Answer:
    """What a client is told: units refused, the message, and the HTTP status."""

    def __init__(self, status: int, rejected: int, message: str) -> None:
        self.status = status
        self.rejected = rejected
        self.message = message


def span(name: str, /, **changes: Any) -> Document:
    return {
        "traceId": "ab" * 16,
        "spanId": "cd" * 8,
        "name": name,
        "kind": 2,
        "startTimeUnixNano": str(NOW_NS),
        "endTimeUnixNano": str(NOW_NS + 5),
        **changes,
    }


def attribute(value: Any, key: str = "k") -> list[Document]:
    return [{"key": key, "value": value}]


def traces(*spans: Any, **group: Any) -> Document:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}], **group}]}


def point(**changes: Any) -> Document:
    return {"asInt": "1", "timeUnixNano": str(NOW_NS), "startTimeUnixNano": "5", **changes}


def gauge(name: str, *points: Any) -> Document:
    return {"name": name, "gauge": {"dataPoints": list(points)}}


def metrics(*found: Any) -> Document:
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": list(found)}]}]}


def post_json(store: FakeStore, path: str, body: bytes) -> Answer:
    with serve(otlp_app(store, store)) as url:
        response = httpx2.post(f"{url}{path}", content=body, headers={"content-type": JSON})
    answer = response.json()
    success = answer.get("partialSuccess", {})
    rejected = success.get("rejectedSpans") or success.get("rejectedDataPoints") or 0
    message = success.get("errorMessage", "") or answer.get("message", "")
    return Answer(response.status_code, int(rejected), message)


def post_protobuf(store: FakeStore, path: str, body: bytes) -> Answer:
    with serve(otlp_app(store, store)) as url:
        response = httpx2.post(f"{url}{path}", content=body, headers={"content-type": PROTOBUF})
    success = ExportMetricsServiceResponse.FromString(response.content).partial_success
    return Answer(response.status_code, success.rejected_data_points, success.error_message)


def call_grpc(store: FakeStore, path: str, body: bytes) -> Answer:
    service = {"/v1/traces": "trace.v1.Trace", "/v1/metrics": "metrics.v1.Metrics"}[path]
    with _grpc_channel(store) as channel:
        export = channel.unary_unary(f"/opentelemetry.proto.collector.{service}Service/Export")
        success = ExportMetricsServiceResponse.FromString(export(body)).partial_success
    return Answer(200, success.rejected_data_points, success.error_message)


@contextmanager
def _grpc_channel(store: FakeStore) -> Iterator[grpc.Channel]:
    server = OtlpGrpcServer(store, store)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.start(0)}") as channel:
            yield channel
    finally:
        server.stop(0.0)


BAD_SPANS: dict[str, Any] = {
    "name is a number": span("bad", name=5),
    "id is no text": span("bad", spanId=7),
    "id is not hexadecimal": span("bad", traceId="q" * 32),
    "id is base64": span("bad", traceId="q83vEjRWeJCrze8SNFZ4kA=="),
    "id is too short": span("bad", spanId="abcd"),
    "parent's id is too long": span("bad", parentSpanId="ab" * 9),
    "start is a word": span("bad", startTimeUnixNano="soon"),
    "start is negative": span("bad", startTimeUnixNano=-1),
    "start is missing": span("bad", startTimeUnixNano=None),
    "start is beyond 64 bits": span("bad", startTimeUnixNano="9" * 30),
    "start is a fraction": span("bad", startTimeUnixNano=1.5),
    "kind is no kind": span("bad", kind="SPAN_KIND_SERVR"),
    "status is a number": span("bad", status=5),
    "status has a code that is none": span("bad", status={"code": "STATUS_CODE_BAD"}),
    "attributes are no list": span("bad", attributes={"key": "x"}),
    "an attribute is a text": span("bad", attributes=["x"]),
    "an attribute has a broken number": span("bad", attributes=attribute({"intValue": "x"})),
    "an event has a broken time": span("bad", events=[{"timeUnixNano": "x"}]),
    "a link is a text": span("bad", links=["x"]),
    "it is a text": "bad",
    "it is a list": [],
}


@pytest.mark.parametrize("fault", BAD_SPANS)
def test_a_bad_span_in_json(fault: str) -> None:
    """One bad span would cost the spans beside it."""
    store = FakeStore()
    body = orjson.dumps(traces(span("before"), BAD_SPANS[fault], span("after")))
    answer = post_json(store, "/v1/traces", body)
    assert (answer.status, answer.rejected) == (200, 1)
    assert "invalidSpan (1): " in answer.message
    assert [found.name for found in store.spans] == ["before", "after"]


BAD_METRICS: dict[str, tuple[Any, int]] = {
    "value is a word": (gauge("bad", point(asInt="x")), 1),
    "value is given twice": (gauge("bad", point(asDouble=1.0)), 1),
    "value is beyond 64 bits": (gauge("bad", point(asInt="9" * 30)), 1),
    "value is missing": (gauge("bad", point(asInt=None)), 1),
    "time is a word": (gauge("bad", point(timeUnixNano="now")), 1),
    "time is missing": (gauge("bad", point(timeUnixNano=None)), 1),
    "flags are negative": (gauge("bad", point(flags=-1)), 1),
    "an attribute is broken": (gauge("bad", point(attributes=attribute({"boolValue": 3}))), 1),
    "a point is a text": (gauge("bad", "x"), 1),
    "two of three points": (gauge("good", point(asInt="x"), point(), point(asInt="y")), 2),
    "name is a list": ({**gauge("bad", point(), point()), "name": []}, 2),
    "two shapes at once": ({**gauge("bad", point()), "sum": {"dataPoints": [point()]}}, 2),
    "temporality is no temporality": (
        {"name": "bad", "sum": {"aggregationTemporality": "SOMETIMES", "dataPoints": [point()]}},
        1,
    ),
    "points are no list": ({"name": "bad", "gauge": {"dataPoints": point()}}, 1),
    "buckets hold a word": (
        {
            "name": "bad",
            "histogram": {
                "aggregationTemporality": 2,
                "dataPoints": [{"timeUnixNano": str(NOW_NS), "bucketCounts": ["1", "x"]}],
            },
        },
        1,
    ),
    "it is a text": ("bad", 1),
}


@pytest.mark.parametrize("fault", BAD_METRICS)
def test_a_bad_metric_in_json(fault: str) -> None:
    """One bad metric would cost the metrics beside it."""
    store = FakeStore()
    bad, lost = BAD_METRICS[fault]
    body = orjson.dumps(metrics(gauge("before", point()), bad, gauge("after", point())))
    answer = post_json(store, "/v1/metrics", body)
    assert (answer.status, answer.rejected) == (200, lost)
    assert answer.message
    names = [found["name"] for found in store.series()]
    assert (names[0], names[-1], "bad" in names) == ("before", "after", False)


def test_a_bad_resource_costs_what_it_describes() -> None:
    """A bad resource would cost those of other resources, or hide that its own are lost."""
    store = FakeStore()
    document = traces(span("a"), span("b"), resource={"attributes": 5})
    document["resourceSpans"].append({"scopeSpans": [{"spans": [span("good")]}]})
    answer = post_json(store, "/v1/traces", orjson.dumps(document))
    assert (answer.rejected, [found.name for found in store.spans]) == (2, ["good"])


BAD_EXEMPLARS: dict[str, Any] = {
    "trace id is too short": {"traceId": "abcd", "spanId": "cd" * 8, "asInt": "1"},
    "value is a word": {"traceId": "ab" * 16, "spanId": "cd" * 8, "asInt": "x"},
    "time is a word": {"traceId": "ab" * 16, "spanId": "cd" * 8, "timeUnixNano": "x"},
    "it is a text": "x",
}


@pytest.mark.parametrize("fault", BAD_EXEMPLARS)
def test_a_bad_exemplar_costs_itself(fault: str) -> None:
    """Its point is kept, and so is the exemplar beside it."""
    good = {"traceId": "ef" * 16, "spanId": "cd" * 8, "asInt": "1", "timeUnixNano": str(NOW_NS)}
    store = FakeStore()
    traced = gauge("cpu", point(exemplars=[BAD_EXEMPLARS[fault], good]))
    answer = post_json(store, "/v1/metrics", orjson.dumps(metrics(traced)))
    assert (answer.status, answer.rejected) == (200, 0)
    assert "invalidExemplar (1): " in answer.message
    assert [found.trace_id for found in store.exemplars()] == ["ef" * 16]


@pytest.mark.parametrize("half", [r"\ud83d", r"\ude00", r"\ude00\ud83d"])
def test_half_a_surrogate_pair_becomes_the_replacement_character(half: str) -> None:
    """JavaScript cuts texts between the halves and writes what is left."""
    store = FakeStore()
    cut = span("CUT", attributes=attribute({"stringValue": "CUT"}))
    body = orjson.dumps(traces(span("before"), cut)).replace(b"CUT", b"hello " + half.encode())
    answer = post_json(store, "/v1/traces", body)
    assert (answer.status, answer.rejected, len(store.spans)) == (200, 0, 2)
    assert store.spans[1].name == store.spans[1].attributes["k"]
    assert store.spans[1].name == "hello " + "\N{REPLACEMENT CHARACTER}" * half.count("u")


def test_bytes_that_are_not_utf8_in_json_become_the_replacement_character() -> None:
    """One byte of another encoding would cost the whole body."""
    store = FakeStore()
    body = orjson.dumps(metrics(gauge("CUT", point()))).replace(b"CUT", b"caf\xe9")
    assert post_json(store, "/v1/metrics", body).rejected == 0
    assert store.series()[0]["name"] == "caf\N{REPLACEMENT CHARACTER}"


def test_whole_pairs_stay_whole_beside_half_ones() -> None:
    """Mending half a pair would break the whole ones beside it."""
    store = FakeStore()
    body = orjson.dumps(traces(span("PAIR"), span("HALF")))
    body = body.replace(b"PAIR", rb"\ud83d\ude00").replace(b"HALF", rb"\ud83d")
    post_json(store, "/v1/traces", body)
    assert [found.name for found in store.spans] == ["\U0001f600", "\ufffd"]


def test_names_of_enums_are_taken() -> None:
    """Many JSON writers give names, as protobuf's own mapping does."""
    store = FakeStore()
    named = span("x", kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"})
    assert post_json(store, "/v1/traces", orjson.dumps(traces(named))).message == ""
    assert (store.spans[0].kind, store.spans[0].status) == ("client", "error")
    temporality = {"aggregationTemporality": "AGGREGATION_TEMPORALITY_CUMULATIVE"}
    counted = {"name": "n", "sum": {"isMonotonic": True, "dataPoints": [point()], **temporality}}
    assert post_json(store, "/v1/metrics", orjson.dumps(metrics(counted))).message == ""
    assert store.series(name="n")[0]["atlas.dstype"] == "counter"


@pytest.mark.parametrize(
    ("path", "document", "snake", "camel"),
    [
        ("/v1/traces", {"resource_spans": []}, "resource_spans", "resourceSpans"),
        ("/v1/traces", {"resourceSpans": [{"scope_spans": []}]}, "scope_spans", "scopeSpans"),
        ("/v1/metrics", {"resource_metrics": []}, "resource_metrics", "resourceMetrics"),
        (
            "/v1/metrics",
            metrics(gauge("cpu", {"as_int": 1, "timeUnixNano": str(NOW_NS)})),
            "as_int",
            "asInt",
        ),
    ],
)
def test_snake_case_gets_a_hint(path: str, document: Document, snake: str, camel: str) -> None:
    """It means nothing in OTLP/JSON; in silence a sender would believe that all was taken."""
    answer = post_json(FakeStore(), path, orjson.dumps(document))
    assert answer.status == 200
    assert f"{snake!r} means nothing" in answer.message
    assert f"write {camel!r}" in answer.message


def test_attributes_may_have_keys_in_snake_case() -> None:
    """An attribute's key would be taken for a misspelt field."""
    named = span("x", attributes=attribute({"stringValue": "v"}, key="trace_id"))
    assert post_json(FakeStore(), "/v1/traces", orjson.dumps(traces(named))).message == ""


TRANSPORTS = pytest.mark.parametrize("send", [post_protobuf, call_grpc], ids=["http", "grpc"])


def _spans_in_protobuf(replaced: bytes, by: bytes) -> bytes:
    body = to_protobuf(
        orjson.dumps(traces(span("before"), span("BADTEXT"), span("after"))),
        ExportTraceServiceRequest(),
    )
    assert body.count(replaced) == 1
    return body.replace(replaced, by)


@TRANSPORTS
def test_a_span_whose_name_is_not_utf8_is_lost_alone(send: Callable[..., Answer]) -> None:
    """One name in another encoding would cost the whole body."""
    store = FakeStore()
    answer = send(store, "/v1/traces", _spans_in_protobuf(b"BADTEXT", b"caf\xe9 \xff."))
    assert (answer.status, answer.rejected) == (200, 1)
    assert "invalidUtf8 (1): Span.name" in answer.message
    assert [found.name for found in store.spans] == ["before", "after"]


@TRANSPORTS
def test_a_damaged_span_is_lost_alone(send: Callable[..., Answer]) -> None:
    """The field of its name is one that no message has: a group that never ends."""
    store = FakeStore()
    bad = _spans_in_protobuf(b"\x2a\x07BADTEXT", b"\x2b\x07BADTEXT")
    answer = send(store, "/v1/traces", bad)
    assert (answer.status, answer.rejected, len(store.spans)) == (200, 1, 2)


@TRANSPORTS
@pytest.mark.parametrize("text", [b"METRIC", b"UNIT", b"VALUE"])
def test_points_whose_text_is_not_utf8_are_lost_alone(
    send: Callable[..., Answer], text: bytes
) -> None:
    """A metric's name or unit costs its two points, an attribute's value its one."""
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add().scope_metrics.add().metrics
    found.add(name="before").gauge.data_points.add(as_int=1, time_unix_nano=NOW_NS)
    bad = found.add(name="METRIC", unit="UNIT").gauge.data_points
    bad.add(as_int=1, time_unix_nano=NOW_NS)
    bad.add(as_int=2, time_unix_nano=NOW_NS).attributes.add(key="k").value.string_value = "VALUE"
    found.add(name="after").gauge.data_points.add(as_int=1, time_unix_nano=NOW_NS)
    store = FakeStore()
    body = request.SerializeToString().replace(text, b"\xff" * len(text))
    answer = send(store, "/v1/metrics", body)
    assert (answer.status, answer.rejected) == (200, 1 if text == b"VALUE" else 2)
    assert "invalidUtf8" in answer.message
    names = [series["name"] for series in store.series()]
    assert (names[0], names[-1]) == ("before", "after")


@TRANSPORTS
def test_a_damaged_exemplar_in_protobuf_costs_itself(send: Callable[..., Answer]) -> None:
    """A damaged exemplar would cost the point that it belongs to."""
    request = ExportMetricsServiceRequest()
    found = request.resource_metrics.add().scope_metrics.add().metrics.add(name="cpu")
    traced = found.gauge.data_points.add(as_int=1, time_unix_nano=NOW_NS)
    traced.exemplars.add(trace_id=b"BROKENEXEMPLARID", span_id=b"s" * 8, as_int=1)
    traced.exemplars.add(trace_id=b"t" * 16, span_id=b"s" * 8, as_int=1, time_unix_nano=NOW_NS)
    store = FakeStore()
    # Field 5, the trace id, as a group that never ends.
    body = request.SerializeToString().replace(b"\x2a\x10BROKEN", b"\x2b\x10BROKEN")
    answer = send(store, "/v1/metrics", body)
    assert (answer.status, answer.rejected) == (200, 0)
    assert "invalidExemplar (1)" in answer.message
    assert [exemplar.trace_id for exemplar in store.exemplars()] == [b"t".hex() * 16]


@TRANSPORTS
def test_a_resource_whose_text_is_not_utf8_keeps_its_units(send: Callable[..., Answer]) -> None:
    """What can't be read of it becomes U+FFFD: a host with an odd name is not silenced."""
    request = ExportTraceServiceRequest.FromString(_spans_in_protobuf(b"BADTEXT", b"BADTEXT"))
    attributes = request.resource_spans[0].resource.attributes
    attributes.add(key="host.name").value.string_value = "HOST"
    store = FakeStore()
    answer = send(store, "/v1/traces", request.SerializeToString().replace(b"HOST", b"caf\xe9"))
    assert (answer.rejected, len(store.spans)) == (0, 3)
    assert "invalidUtf8 (1)" in answer.message
    assert store.spans[0].resource["host.name"] == "caf\N{REPLACEMENT CHARACTER}"


def test_a_body_that_is_cut_short_is_refused_whole() -> None:
    """Half of a body would be kept and acknowledged, and never sent again."""
    with serve(otlp_app(FakeStore(), FakeStore())) as url:
        body = _spans_in_protobuf(b"BADTEXT", b"BADTEXT")[:-9]
        headers = {"content-type": PROTOBUF}
        assert httpx2.post(f"{url}/v1/traces", content=body, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("end_ns", "mark"),
    [(NOW_NS - 1_000, "ended 1000 ns before it started"), (0, "has no end")],
)
def test_a_span_that_ends_before_it_starts_is_kept(end_ns: int, mark: str) -> None:
    """Clocks step back in browsers and virtual machines; its children would lose their parent."""
    store = FakeStore()
    odd = span("odd", endTimeUnixNano=str(end_ns))
    assert post_json(store, "/v1/traces", orjson.dumps(traces(odd))).rejected == 0
    (kept,) = store.spans
    assert (kept.start_ns, kept.duration_ns) == (NOW_NS, 0)
    assert str(kept.attributes[ADJUSTED]).startswith(mark)


def test_links_to_nowhere_are_left_out() -> None:
    """An id cut to length would be somebody else's."""
    store = FakeStore()
    good = {"traceId": "ef" * 16, "spanId": "ab" * 8}
    links = [{"traceId": "ef" * 20, "spanId": "ab" * 8}, good, {"traceId": "zz", "spanId": ""}]
    post_json(store, "/v1/traces", orjson.dumps(traces(span("x", links=links))))
    assert [link.trace_id for link in store.spans[0].links] == ["ef" * 16]


def test_warnings_are_counted() -> None:
    """An operator would not see that a sender misspells its fields."""
    stats = ReceiverStats()
    store = FakeStore()
    with serve(otlp_app(store, store, stats=stats)) as url:
        httpx2.post(f"{url}/v1/traces", json={"resource_spans": []})
    assert stats.warnings("otlp.spans") == {"snakeCase": 1}
    warned = [tags for tags in stats.batch(1).series if tags["name"] == "tocsin.receiver.warned"]
    assert [tags["reason"] for tags in warned] == ["snakeCase"]


@given(
    names=st.lists(st.sampled_from(["good", "bad text", "bad damage"]), min_size=1, max_size=12),
    split=st.integers(1, 4),
)
def test_exactly_the_bad_ones_are_lost(names: list[str], split: int) -> None:
    """Wherever they stand, and however the spans are divided among resources and scopes."""
    request = ExportTraceServiceRequest()
    for i, name in enumerate(names):
        if i % split == 0:
            scope = request.resource_spans.add().scope_spans.add()
        scope.spans.add(
            trace_id=b"t" * 16,
            span_id=(i + 1).to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=1,
            end_time_unix_nano=2,
        )
    body = request.SerializeToString()
    body = body.replace(b"bad text", b"bad \xff\xff\xff\xff")
    body = body.replace(b"\x2a\x0abad damage", b"\x2b\x0abad damage")
    store, flaws = FakeStore(), Flaws()
    receipt = OtlpSpans(store, Limits(), ReceiverStats()).export(body, flaws)
    assert len(store.spans) == names.count("good") == receipt.accepted
    assert receipt.rejected_count == len(names) - names.count("good")
