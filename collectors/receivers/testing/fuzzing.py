"""Valid bodies for every receiver, and a store that checks what mutants of them become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.model import Batch, Receipt, Span
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.testing.remote_write import label, request_v2

T0 = 1_700_000_000_000
_T0_NS = T0 * 1_000_000
_TRACE = "ab" * 16


class CheckingStore:
    """A metric and span writer that keeps nothing and trusts nobody."""

    def write(self, batch: Batch) -> Receipt:
        """Take a batch whose columns must fit each other."""
        counts = {len(batch.series_index), len(batch.time_ms), len(batch.value)}
        _demand(len(counts) == 1, f"columns have lengths {counts}")
        _demand(batch.time_ms.dtype == np.int64, "times are 64-bit integers")
        series = len(batch.series)
        parts = [] if batch.parts is None else [batch.parts.series_index]
        for index in (batch.series_index, *parts):
            if len(index):
                _demand(index.min() >= 0, "a sample of no series")
                _demand(index.max() < series, "a sample of a series beyond the last")
        for tags in batch.series:
            _demand(all(isinstance(v, str) for kv in tags.items() for v in kv), f"tags {tags!r}")
        for exemplar in batch.exemplars:
            _demand(0 <= exemplar.series < series, "an exemplar of no series")
            _demand(len(exemplar.trace_id) == 32, f"trace id {exemplar.trace_id!r}")
        return Receipt(accepted=len(batch))

    def write_spans(self, spans: Sequence[Span]) -> Receipt:
        """Take spans that must have their ids."""
        for span in spans:
            _demand(len(span.trace_id) == 32, f"trace id {span.trace_id!r}")
            _demand(len(span.span_id) == 16, f"span id {span.span_id!r}")
        return Receipt(accepted=len(spans))


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def otlp_metrics() -> Message:
    """Return a request with every shape of metric."""
    request: Any = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    _attribute(group.resource, "service.name", "shop")
    metrics = group.scope_metrics.add().metrics
    times = {"start_time_unix_nano": _T0_NS - 10**10, "time_unix_nano": _T0_NS}
    metrics.add(name="cpu").gauge.data_points.add(as_double=0.5, time_unix_nano=_T0_NS)
    total = metrics.add(name="orders").sum
    total.aggregation_temporality, total.is_monotonic = 2, True
    point = total.data_points.add(as_int=7, **times)
    _attribute(point, "path", "/play")
    point.exemplars.add(trace_id=b"t" * 16, span_id=b"s" * 8, as_double=1, time_unix_nano=_T0_NS)
    delta = metrics.add(name="bytes").sum
    delta.aggregation_temporality, delta.is_monotonic = 1, True
    delta.data_points.add(as_double=3.5, **times)
    explicit = metrics.add(name="latency", unit="s").histogram
    explicit.aggregation_temporality = 2
    explicit.data_points.add(
        count=3, sum=1.5, max=1, bucket_counts=[1, 2, 0], explicit_bounds=[0.1, 1.0], **times
    )
    exponential = metrics.add(name="sizes").exponential_histogram
    exponential.aggregation_temporality = 1
    sized = exponential.data_points.add(count=4, sum=9, scale=3, zero_count=1, **times)
    sized.positive.offset = -2
    sized.positive.bucket_counts.extend([1, 0, 2])
    summary = metrics.add(name="old").summary.data_points.add(count=2, sum=3, **times)
    summary.quantile_values.add(quantile=0.99, value=1.5)
    whole: Message = request
    return whole


def otlp_traces() -> Message:
    """Return a request with two spans, an event, a link and attributes of every type."""
    request: Any = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _attribute(group.resource, "service.name", "shop")
    spans = group.scope_spans.add().spans
    times = {"start_time_unix_nano": _T0_NS, "end_time_unix_nano": _T0_NS + 10**7}
    root = spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET /", kind=2, **times)
    child = spans.add(
        trace_id=b"t" * 16, span_id=b"u" * 8, parent_span_id=b"s" * 8, name="call", **times
    )
    root.status.code = 2
    values = root.attributes.add(key="list").value.array_value.values
    values.add(int_value=-3)
    values.add().kvlist_value.values.add(key="deep").value.double_value = 0.5
    child.events.add(name="retry", time_unix_nano=_T0_NS + 5)
    child.links.add(trace_id=b"v" * 16, span_id=b"w" * 8)
    whole: Message = request
    return whole


def otlp_json(message: Message) -> bytes:
    """Return a request in OTLP's JSON encoding."""
    document = MessageToDict(message, use_integers_for_enums=True)
    return orjson.dumps(_hexadecimal(document))


def remote_write_v1() -> bytes:
    """Return a 1.0 request with samples, metadata, an exemplar and native histograms."""
    request = message_class("WriteRequest")()
    series = request.timeseries.add(labels=[label("__name__", "hits_total"), label("job", "a")])
    series.samples.add(timestamp=T0, value=1.5)
    series.samples.add(timestamp=T0 + 15_000, value=float("nan"))
    traced = series.exemplars.add(value=0.5, timestamp=T0)
    traced.labels.append(label("trace_id", _TRACE))
    native = request.timeseries.add(labels=[label("__name__", "latency_seconds")])
    for histogram in _histograms():
        native.histograms.append(histogram)
    request.metadata.add(type=1, metric_family_name="hits")
    return bytes(request.SerializeToString())


def remote_write_v2() -> bytes:
    """Return a 2.0 request with samples, an exemplar and native histograms."""
    symbols = ["", "__name__", "hits", "job", "a", "trace_id", _TRACE, "latency", "seconds"]
    request = request_v2(symbols)
    series = request.timeseries.add(labels_refs=[1, 2, 3, 4], metadata={"type": 1})
    series.samples.add(timestamp=T0, value=1.5, start_timestamp=T0 - 5_000)
    series.exemplars.add(labels_refs=[5, 6], value=0.5, timestamp=T0)
    native = request.timeseries.add(labels_refs=[1, 7], metadata={"type": 3, "unit_ref": 8})
    for histogram in _histograms():
        native.histograms.append(histogram)
    return bytes(request.SerializeToString())


_OBJECT = b"""{"tags": {"nf.app": "www"}, "metrics": [
{"tags": {"name": "cpu"}, "timestamp": 1700000000000, "value": 0.5},
{"tags": {"name": "mem"}, "start": 1700000000000, "values": ["NaN"]}]}"""
_TEXT = b"""# HELP hits Requests.
# TYPE hits counter
hits_total{path="/a b",code="200"} 1027 1700000000000
hits_total{path="\\"x\\\\"} 3
# TYPE latency histogram
latency_bucket{le="0.1"} 2
latency_bucket{le="+Inf"} 3
latency_sum 1.5e-1
latency_count 3
{"utf-8 name",zone="a"} NaN
"""
_OPENMETRICS = b"""# TYPE hits counter
hits_total{path="/"} 7 1700000000.5 # {trace_id="abababab"} 0.5
# UNIT latency_seconds seconds
latency_seconds_sum 1
# EOF
"""
PUBLISHED = (
    _OBJECT,
    b'[{"tags":{"name":"cpu","id":"1"},"timestamp":1700000000000,"value":1e3}]',
    b'[3,"name","cpu","id",1,"ffff",1,0,1,1700000000000,42.0]',
)
EXPOSED = (_TEXT, _OPENMETRICS)
LINES = (
    b"c:orders,country=nz:1\ng:temperature:21.5\nt:latency,id=a:0.25\nd:size:1024",
    b"C:total:12\nU:wrapped:18446744073709551615\nX,1700000000000:timed:3\ng,60:short:1",
    b"m:largest:5\nA:age:0\nS:users:ada\nT:latency:0.5\nD:size:3.5",
)


def _histograms() -> list[Any]:
    histogram = message_class("Histogram")
    spans = [{"offset": -1, "length": 2}, {"offset": 3, "length": 1}]
    return [
        histogram(
            count_int=9,
            sum=4.5,
            schema=3,
            zero_threshold=1e-9,
            zero_count_int=1,
            positive_spans=spans,
            positive_deltas=[2, 1, -2],
            negative_spans=[{"offset": 0, "length": 1}],
            negative_deltas=[2],
            timestamp=T0,
        ),
        histogram(
            count_float=3.5,
            sum=2.5,
            schema=-53,
            custom_values=[0.1, 1.0],
            positive_spans=[{"offset": 0, "length": 3}],
            positive_counts=[1.0, 0.5, 2.0],
            timestamp=T0 + 1,
        ),
    ]


def _attribute(owner: Any, key: str, value: str) -> None:
    owner.attributes.add(key=key).value.string_value = value


def _hexadecimal(value: Any) -> Any:
    """Return protobuf's JSON with ids as OTLP writes them."""
    if isinstance(value, list):
        return [_hexadecimal(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids: Callable[[str], bool] = {"traceId", "spanId", "parentSpanId"}.__contains__
    return {k: "ab" * 16 if ids(k) else _hexadecimal(v) for k, v in value.items()}
