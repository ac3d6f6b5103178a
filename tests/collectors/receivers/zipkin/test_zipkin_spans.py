"""Zipkin v2 spans, from the official exporter and by hand, in both encodings."""

import gzip
import ipaddress
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind as SentKind
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.host.journal import MemoryJournal
from collectors.limits import Limits
from collectors.model import ADJUSTED, Span, SpanEvent, SpanKind, SpanStatus
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore, serve
from collectors.receivers.zipkin.http import zipkin_routes
from collectors.receivers.zipkin.messages import message_class
from collectors.traces.store import SpanStore

T0_US = 1_700_000_000_000_000
FULL: dict[str, Any] = {
    "traceId": "463ac35c9f6413ad48485a3953bb6124",
    "parentId": "a2fb4a1d1a96d311",
    "id": "A2FB4A1D1A96D312",
    "kind": "CLIENT",
    "name": "get /api",
    "timestamp": T0_US,
    "duration": 1_431,
    "localEndpoint": {"serviceName": "Frontend", "ipv4": "127.0.0.1", "port": 8080},
    "remoteEndpoint": {"serviceName": "backend", "ipv6": "2001:db8::c001", "port": 9000},
    "annotations": [{"timestamp": T0_US + 10, "value": "ws — 東京"}],
    "tags": {"http.path": "/api", "error": "refused", "otel.scope.name": "lib"},
    "debug": True,
    "shared": False,
}


def as_protobuf(plain: dict[str, Any]) -> Any:
    """Return a JSON span as a protobuf message, field by field."""
    kinds = ("", "CLIENT", "SERVER", "PRODUCER", "CONSUMER")
    return message_class("Span")(
        trace_id=bytes.fromhex(plain["traceId"]),
        parent_id=bytes.fromhex(plain.get("parentId", "")),
        id=bytes.fromhex(plain["id"]),
        kind=kinds.index(plain.get("kind", "")),
        name=plain.get("name", "").encode(),
        timestamp=plain.get("timestamp", 0),
        duration=plain.get("duration", 0),
        local_endpoint=endpoint(plain.get("localEndpoint", {})),
        remote_endpoint=endpoint(plain.get("remoteEndpoint", {})),
        annotations=[
            message_class("Annotation")(timestamp=a["timestamp"], value=a["value"].encode())
            for a in plain.get("annotations", ())
        ],
        tags=[
            message_class("Tag")(key=key.encode(), value=value.encode())
            for key, value in plain.get("tags", {}).items()
        ],
        debug=plain.get("debug", False),
        shared=plain.get("shared", False),
    )


def endpoint(plain: dict[str, Any]) -> Any:
    return message_class("Endpoint")(
        service_name=plain.get("serviceName", "").encode(),
        ipv4=ipaddress.ip_address(plain["ipv4"]).packed if "ipv4" in plain else b"",
        ipv6=ipaddress.ip_address(plain["ipv6"]).packed if "ipv6" in plain else b"",
        port=plain.get("port", 0),
    )


def received(spans: list[Any], encoding: str = "json") -> list[Span]:
    """Return what becomes of spans that are sent in an encoding."""
    store = FakeStore()
    client = TestClient(Starlette(routes=zipkin_routes(store)))
    if encoding == "json":
        body, media = orjson.dumps(spans), "application/json"
    else:
        raws = [as_protobuf(span).SerializeToString() for span in spans]
        body = message_class("ListOfSpans")(spans=raws).SerializeToString()
        media = "application/x-protobuf"
    client.post("/api/v2/spans", content=body, headers={"content-type": media})
    return store.spans


@pytest.mark.parametrize("encoding", ["json", "protobuf"])
def test_a_span_arrives_whole(encoding: str) -> None:
    """Every field has its place; names and tags are as they were sent."""
    (span,) = received([FULL], encoding)
    assert span == Span(
        trace_id="463ac35c9f6413ad48485a3953bb6124",
        span_id="a2fb4a1d1a96d312",
        parent_span_id="a2fb4a1d1a96d311",
        name="get /api",
        kind=SpanKind.CLIENT,
        start_ns=T0_US * 1_000,
        end_ns=(T0_US + 1_431) * 1_000,
        status=SpanStatus.ERROR,
        status_message="refused",
        service="Frontend",
        resource={"service.name": "Frontend", "host.ip": ["127.0.0.1"]},
        attributes={
            "http.path": "/api",
            "error": "refused",
            "otel.scope.name": "lib",
            "peer.service": "backend",
            "network.peer.address": "2001:db8::c001",
            "network.peer.port": 9000,
        },
        scope_name="lib",
        events=(SpanEvent(name="ws — 東京", time_ns=(T0_US + 10) * 1_000, attributes={}),),
    )


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({}, SpanStatus.UNSET, ""),
        ({"error": ""}, SpanStatus.ERROR, ""),
        ({"error": "true"}, SpanStatus.ERROR, ""),
        ({"error": "false"}, SpanStatus.UNSET, ""),
        ({"error": "no route"}, SpanStatus.ERROR, "no route"),
        ({"otel.status_code": "ERROR", "error": "x"}, SpanStatus.ERROR, "x"),
        ({"otel.status_code": "OK"}, SpanStatus.OK, ""),
        ({"otel.status_code": "OK", "error": "retried"}, SpanStatus.OK, ""),
    ],
)
def test_status(tags: dict[str, str], status: SpanStatus, message: str) -> None:
    """An error that is not seen, or one that is none, makes every count wrong."""
    (span,) = received([{**FULL, "tags": tags}])
    assert (span.status, span.status_message) == (status, message)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "zz"}, "id 'zz' is not 1 to 16"),
        ({"id": 7}, "id '7' is not 1 to 16"),
        ({"traceId": "0" * 32}, "is all zeros"),
        ({"traceId": "a" * 33}, "is not 1 to 32"),
        ({"parentId": "xyz"}, "parentId 'xyz'"),
        ({"timestamp": None, "annotations": []}, "has no timestamp"),
        ({"timestamp": "now"}, "timestamp 'now' is not a whole number"),
        ({"timestamp": -1}, "timestamp -1 is not a number of microseconds up to year 2262"),
        ({"timestamp": 2**62}, "up to year 2262"),
        ({"duration": True}, "duration 'True' is not a whole number"),
        ({"duration": 1.5}, "duration '1.5' is not a whole number"),
    ],
)
def test_a_wrong_span_costs_itself_alone(change: dict[str, Any], reason: str) -> None:
    """Its neighbour is kept, the answer says why it was not, and a counter keeps it."""
    store, stats = FakeStore(), ReceiverStats()
    client = TestClient(Starlette(routes=zipkin_routes(store, None, stats)))
    answer = client.post("/api/v2/spans", content=orjson.dumps([{**FULL, **change}, FULL, 5]))
    assert answer.status_code == 202
    assert answer.json()["rejected"] == 2
    assert reason in answer.json()["message"]
    assert len(store.spans) == 1
    assert stats.refusals("zipkin") == {"invalidSpan": 2}
    nothing = client.post("/api/v2/spans", content=orjson.dumps([{**FULL, **change}]))
    assert nothing.status_code == 400


@pytest.mark.parametrize(
    ("change", "trace_id", "mark"),
    [
        ({"traceId": "48485A3953BB6124"}, "48485a3953bb6124".rjust(32, "0"), ""),
        ({"parentId": "0000000000000000"}, FULL["traceId"], ""),
        ({"duration": None}, FULL["traceId"], "has no duration; kept with duration 0"),
        ({"timestamp": None}, FULL["traceId"], ""),
        ({"kind": "NEW", "tags": {"a": 1}, "annotations": [7]}, FULL["traceId"], ""),
    ],
)
def test_what_zipkin_takes_is_taken(change: dict[str, Any], trace_id: str, mark: str) -> None:
    """Short ids, spans that are not finished, and what later versions may add."""
    (span,) = received([{**FULL, **change}])
    assert (span.trace_id, span.attributes.get(ADJUSTED, "")) == (trace_id, mark)


def test_half_a_surrogate_pair_costs_one_character() -> None:
    """Browsers cut texts in the middle of an emoji."""
    body = orjson.dumps([FULL]).replace("ws — 東京".encode(), b"cut \\ud83d")
    store = FakeStore()
    client = TestClient(Starlette(routes=zipkin_routes(store)))
    packed = gzip.compress(body)
    answer = client.post("/api/v2/spans", content=packed, headers={"content-encoding": "gzip"})
    assert answer.status_code == 202
    assert answer.content == b""
    assert store.spans[0].events[0].name == "cut \N{REPLACEMENT CHARACTER}"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
spans = st.fixed_dictionaries(
    {
        "traceId": st.sampled_from(("0a" * 8, "b1" * 16)),
        "id": st.sampled_from(("0c" * 8, "d" * 16)),
    },
    optional={
        "kind": st.sampled_from(("CLIENT", "SERVER", "PRODUCER", "CONSUMER")),
        "name": texts,
        "timestamp": st.integers(0, 2**53),
        "duration": st.integers(0, 2**40),
        "localEndpoint": st.fixed_dictionaries(
            {}, optional={"serviceName": texts, "ipv4": st.just("10.0.0.1"), "port": st.just(80)}
        ),
        "annotations": st.lists(
            st.fixed_dictionaries({"timestamp": st.integers(0, 2**53), "value": texts}), max_size=2
        ),
        "tags": st.dictionaries(texts, texts, max_size=3),
    },
)


@settings(max_examples=60, deadline=None)
@given(spans)
def test_both_encodings_mean_the_same(span: dict[str, Any]) -> None:
    """A reporter that switches to protobuf must not see other traces."""
    assert received([span]) == received([span], "protobuf")


def test_the_official_exporter_is_understood() -> None:
    """OpenTelemetry's Zipkin exporter, unmodified, over a socket."""
    store = FakeStore()
    with serve(Starlette(routes=zipkin_routes(store))) as url:
        provider = TracerProvider(resource=Resource.create({"service.name": "playback"}))
        exporter = ZipkinExporter(endpoint=f"{url}/api/v2/spans")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test", "1.0")
        with tracer.start_as_current_span("GET /play", kind=SentKind.SERVER) as span:
            span.set_attribute("http.response.status_code", 503)
            span.add_event("retry", {"attempt": 2})
            span.set_status(StatusCode.ERROR, "no capacity")
            with tracer.start_as_current_span("inner"):
                pass
        provider.shutdown()
    inner, outer = store.spans
    assert (outer.service, outer.name, outer.kind) == ("playback", "GET /play", SpanKind.SERVER)
    assert (outer.status, outer.status_message) == (SpanStatus.ERROR, "no capacity")
    assert outer.attributes["http.response.status_code"] == "503"
    assert "retry" in outer.events[0].name
    assert (inner.parent_span_id, inner.trace_id) == (outer.span_id, outer.trace_id)
    assert (outer.scope_name, outer.scope_version) == ("test", "1.0")


def test_shared_ids_arrive_as_two_halves_with_their_edge() -> None:
    """The server's half of a call has its client's id; neither may replace the other."""
    store = SpanStore(MemoryJournal(), Limits())
    client = TestClient(Starlette(routes=zipkin_routes(store)))
    front = {"serviceName": "front", "ipv4": "10.0.0.1"}
    stock = {"serviceName": "stock", "ipv4": "10.0.0.2"}
    call = {"traceId": "a", "parentId": "1", "id": "2", "timestamp": T0_US + 10, "duration": 80}
    sent = [
        {"traceId": "a", "id": "1", "kind": "SERVER", "timestamp": T0_US, "duration": 100}
        | {"localEndpoint": front},
        call | {"kind": "CLIENT", "localEndpoint": front},
        call | {"kind": "SERVER", "shared": True, "localEndpoint": stock},
    ]
    for _ in range(2):
        assert client.post("/api/v2/spans", content=orjson.dumps(sent)).status_code == 202
    assert store.span_count == 3
    edges = [(edge.client, edge.server) for edge in store.edges(0, T0_US)]
    assert edges == [("front", "stock"), ("user", "front")]
