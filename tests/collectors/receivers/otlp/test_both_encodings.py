"""What OTLP says in JSON and in protobuf is one thing: the same is kept, refused and answered."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from starlette.testclient import TestClient

from collectors.receivers.otlp.http import JSON, PROTOBUF, otlp_app
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore

NOW_NS = 1_700_000_000 * 10**9
IDS = {"traceId", "spanId", "parentSpanId"}

texts = st.sampled_from(["", "a", "GET /api", "東京", "a,b:c\n", "\0", "x" * 300, "name"])
keys = st.sampled_from(["", "service.name", "host.name", "a", "a b", "name", "k" * 200])
floats = st.sampled_from([0.0, -0.0, 1.5, -2.0, 1e308, float("nan"), float("inf"), -float("inf")])
whole = st.sampled_from([0, 1, -1, 7, 2**53 + 1, 2**63 - 1, -(2**63)])
times = st.sampled_from([0, 1, NOW_NS - 10**10, NOW_NS, NOW_NS + 1, 2**64 - 1])
enums = st.integers(0, 7)
counts = st.sampled_from([0, 1, 5, 2**53 + 1, 2**64 - 1])


def value_of(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    plain: list[st.SearchStrategy[dict[str, Any]]] = [
        st.just({}),
        texts.map(lambda v: {"string_value": v}),
        st.booleans().map(lambda v: {"bool_value": v}),
        whole.map(lambda v: {"int_value": v}),
        floats.map(lambda v: {"double_value": v}),
        st.binary(max_size=3).map(lambda v: {"bytes_value": v}),
    ]
    if depth:
        inner = st.lists(value_of(depth - 1), max_size=2)
        plain.append(inner.map(lambda v: {"array_value": {"values": v}}))
        plain.append(pairs(depth - 1).map(lambda v: {"kvlist_value": {"values": v}}))
    return st.one_of(plain)


def pairs(depth: int = 1) -> st.SearchStrategy[list[dict[str, Any]]]:
    pair = st.fixed_dictionaries({"key": keys, "value": value_of(depth)})
    return st.lists(pair, max_size=3)


def mostly(good: Any, others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what is right three times of four: requests of which nothing is kept show little."""
    return st.one_of(st.just(good), st.just(good), st.just(good), others)


def with_all(
    required: dict[str, st.SearchStrategy[Any]], **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return messages with the required fields and any of the others."""
    return st.fixed_dictionaries(required, optional=fields)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return messages with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


ids = st.sampled_from([b"", b"\0" * 8, b"s" * 8, b"\xffspan-id", b"t" * 16, b"\xabtrace-id-of-16b"])
exemplar = with_all(
    {"trace_id": mostly(b"t" * 16, ids), "span_id": mostly(b"s" * 8, ids)},
    filtered_attributes=pairs(0),
    time_unix_nano=times,
    as_double=floats,
)
timed: dict[str, st.SearchStrategy[Any]] = {
    "attributes": pairs(),
    "start_time_unix_nano": times,
    "flags": mostly(0, st.integers(0, 3)),
}
now = {"time_unix_nano": mostly(NOW_NS, times)}
number = st.one_of(
    with_all(now | {"as_double": floats}, **timed, exemplars=st.lists(exemplar, max_size=1)),
    with_all(now, **timed, as_int=whole),
)
histogram = with_all(
    now,
    **timed,
    count=counts,
    sum=floats,
    min=floats,
    max=floats,
    bucket_counts=st.lists(counts, max_size=3),
    explicit_bounds=st.lists(floats, max_size=2),
    exemplars=st.lists(exemplar, max_size=1),
)
buckets = some(offset=st.integers(-5, 5), bucket_counts=st.lists(counts, max_size=3))
exponential = with_all(
    now,
    **timed,
    count=counts,
    sum=floats,
    scale=st.integers(-12, 22),
    zero_count=counts,
    positive=buckets,
    negative=buckets,
)
quantiles = st.lists(some(quantile=floats, value=floats), max_size=2)
summary = with_all(now, **timed, count=counts, sum=floats, quantile_values=quantiles)
temporality = {"aggregation_temporality": mostly(1, st.integers(0, 3)) | st.just(2)}


def points(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=3)


shape = st.one_of(
    st.just({}),
    with_all({"data_points": points(number)}).map(lambda v: {"gauge": v}),
    with_all({"data_points": points(number), **temporality}, is_monotonic=st.booleans()).map(
        lambda v: {"sum": v}
    ),
    with_all({"data_points": points(histogram), **temporality}).map(lambda v: {"histogram": v}),
    with_all({"data_points": points(exponential), **temporality}).map(
        lambda v: {"exponential_histogram": v}
    ),
    with_all({"data_points": points(summary)}).map(lambda v: {"summary": v}),
)
named = with_all({"name": mostly("lat", texts)}, unit=texts)
metric = st.tuples(shape, named).map(lambda both: both[0] | both[1])
scope = some(name=texts, version=texts, attributes=pairs(0))
event = some(time_unix_nano=times, name=texts, attributes=pairs(0))
link = some(trace_id=ids, span_id=ids, attributes=pairs(0))
span = with_all(
    {
        "trace_id": mostly(b"t" * 16, ids),
        "span_id": mostly(b"s" * 8, ids),
        "start_time_unix_nano": mostly(NOW_NS, times),
        "end_time_unix_nano": mostly(NOW_NS + 5, times),
        "name": mostly("GET /api", texts),
    },
    parent_span_id=mostly(b"p" * 8, ids),
    trace_state=texts,
    kind=enums,
    attributes=pairs(),
    events=st.lists(event, max_size=2),
    links=st.lists(link, max_size=2),
    status=some(message=texts, code=enums),
)
resource = some(attributes=pairs())


def grouped(item: st.SearchStrategy[Any], what: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return groups by resource and scope."""
    scoped = with_all({what: st.lists(item, min_size=1, max_size=3)}, scope=scope)
    scopes = st.lists(scoped, min_size=1, max_size=2)
    group = with_all({f"scope_{what}": scopes}, resource=resource)
    return st.lists(group, min_size=1, max_size=2)


def as_json(message: Message, *, names: bool) -> bytes:
    """Encode as OTLP asks for: ids in hexadecimal, enums as numbers or, as some do, as names."""
    plain = json_format.MessageToDict(message, use_integers_for_enums=not names)
    return orjson.dumps(_with_hex_ids(plain))


def _with_hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_hex_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(part).hex() if key in IDS else _with_hex_ids(part)
        for key, part in value.items()
    }


class Receiver:
    """A receiver that is given one body."""

    def __init__(self, path: str, body: bytes, media: str) -> None:
        self.store, self.stats = FakeStore(), ReceiverStats()
        client = TestClient(otlp_app(self.store, self.store, stats=self.stats))
        self.answer = client.post(path, content=body, headers={"content-type": media})

    def told(self, response: Message) -> str:
        """Return the answer, whichever encoding it has."""
        if self.answer.headers["content-type"] == JSON:
            json_format.Parse(self.answer.content, response)
        else:
            response.ParseFromString(self.answer.content)
        return str(response)

    def kept(self) -> dict[str, Any]:
        """Return all that was stored and counted; NaN is equal to itself."""
        samples = [
            repr((sorted(batch.series[row].items()), int(time_ms), float(value)))
            for batch in self.store.batches
            for row, time_ms, value in zip(
                batch.series_index, batch.time_ms, batch.value, strict=True
            )
        ]
        exemplars = [
            repr((sorted(batch.series[one.series].items()), one))
            for batch in self.store.batches
            for one in batch.exemplars
        ]
        receivers = ("otlp.metrics", "otlp.spans")
        return {
            "samples": samples,
            "exemplars": exemplars,
            "spans": [repr(span) for span in self.store.spans],
            "accepted": [self.stats.accepted(name) for name in receivers],
            "refused": [Counter(self.stats.refusals(name)) for name in receivers],
            "warned": [Counter(self.stats.warnings(name)) for name in receivers],
        }


def hold(path: str, request: Message, response: type[Message], *, names: bool) -> None:
    binary = Receiver(path, request.SerializeToString(), PROTOBUF)
    text = Receiver(path, as_json(request, names=names), JSON)
    assert binary.answer.status_code == text.answer.status_code == 200
    assert binary.kept() == text.kept()
    assert binary.told(response()) == text.told(response())


@given(groups=grouped(metric, "metrics"), names=st.booleans())
def test_metrics(groups: Any, *, names: bool) -> None:
    """A fleet that changes its exporter's protocol would see its numbers change."""
    request = ExportMetricsServiceRequest(resource_metrics=groups)
    hold("/v1/metrics", request, ExportMetricsServiceResponse, names=names)


@given(groups=grouped(span, "spans"), names=st.booleans())
def test_traces(groups: Any, *, names: bool) -> None:
    """Browsers send JSON, servers protobuf: both are halves of one trace."""
    request = ExportTraceServiceRequest(resource_spans=groups)
    hold("/v1/traces", request, ExportTraceServiceResponse, names=names)
