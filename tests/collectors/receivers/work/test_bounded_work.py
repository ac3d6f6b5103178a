"""A body costs no more than its budget, whatever it unpacks to, and others pass beside it."""

from __future__ import annotations

import asyncio
import gzip
import threading
from typing import Any

import cramjam
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.errors import DecodeError, OverloadedError, TooLargeError
from collectors.limits import Limits
from collectors.model import Rejection
from collectors.receivers.body import MAX_MEMBERS, decompress
from collectors.receivers.gate import Gate
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.otlp.json import to_protobuf
from collectors.receivers.otlp.pieces import pieces
from collectors.receivers.prometheus.remote_write import remote_write_routes
from collectors.receivers.testing import fuzzing
from collectors.receivers.testing.fakes import FakeStore
from collectors.receivers.work.budget import Budget
from collectors.receivers.work.lanes import MAX_WAITING, Lanes
from collectors.receivers.work.opening import SMALL_PARTS, Opened, Sent, open_body
from collectors.receivers.work.refusals import MAX_KEPT, Refusals
from collectors.receivers.work.turns import Turns

LIMITS = Limits(max_json_parts=100_000, max_body_parts=100_000)
JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}


def sent(raw: bytes, *, encoding: str = "", limits: Limits = LIMITS) -> Sent:
    with Gate(limits).enter() as place:
        return Sent(
            raw=raw,
            encoding=encoding,
            message=None,
            limits=limits,
            place=place,
            unpack=decompress,
        )


def many(each: bytes, count: int) -> bytes:
    return b"[" + (each + b",") * count + each + b"]"


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/traces", JSON, b'{"resourceSpans":' + many(b"{}", 60_000) + b"}"),
        ("/v1/metrics", JSON, b'{"resourceMetrics":' + many(b"[]", 60_000) + b"}"),
        ("/v1/logs", PROTOBUF, b"\x0a\x00" * 200_000),
        ("/v1/metrics", PROTOBUF, b"\x0a\x02\x12\x00" * 100_000),
        ("/v1/traces", PROTOBUF, b"\x0a\x00" * 200_000),
    ],
)
def test_a_body_of_many_parts_is_refused_before_they_are_made(
    path: str, headers: dict[str, str], body: bytes
) -> None:
    """Kilobytes would become gigabytes."""
    store = FakeStore()
    client = TestClient(otlp_app(store, store, LIMITS))
    answer = client.post(
        path, content=gzip.compress(body), headers={**headers, "content-encoding": "gzip"}
    )

    assert answer.status_code == 413
    assert b"100000 parts" in answer.content


def test_compressed_streams_are_counted() -> None:
    """Two megabytes of them took nine seconds."""
    one = gzip.compress(b"a")
    assert decompress(one * MAX_MEMBERS, "gzip", 1 << 20) == b"a" * MAX_MEMBERS
    with pytest.raises(TooLargeError, match="compressed streams"):
        decompress(one * (MAX_MEMBERS + 1), "gzip", 1 << 20)


def test_json_that_takes_long_ends_at_its_budget() -> None:
    """A parser that can't be stopped would go on for as long as the body says."""
    seconds = iter(range(1_000_000))
    budget = Budget(Limits(max_body_cpu_s=5.0), cpu_s=lambda: float(next(seconds)))
    body = b'{"resourceSpans":' + many(b"{}", 5_000) + b"}"

    with pytest.raises(TooLargeError, match="more than 5 s of CPU"):
        to_protobuf(body, ExportTraceServiceRequest(), budget=budget)


def test_deep_json_is_refused() -> None:
    """What is nested deeper than the interpreter counts can't even be shown in a message."""
    with pytest.raises(DecodeError, match="nested"):
        open_body(sent(b"[" * 1_000 + b"]" * 1_000), small=True)


def test_a_body_that_would_fill_the_memory_is_too_large_and_not_just_early() -> None:
    """Its sender would be told to come back for ever."""
    limits = Limits(max_in_flight_bytes=1_000_000)
    with pytest.raises(TooLargeError, match="when it is decoded"):
        open_body(sent(many(b"[]", 5_000), limits=limits), small=False)


def test_small_bodies_pass_beside_large_ones() -> None:
    """Whoever sends what takes seconds would hold up everybody."""
    asyncio.run(_small_beside_large())


async def _small_beside_large() -> None:
    lanes, held, begun = Lanes(), threading.Event(), threading.Event()

    def slow(opened: Opened) -> int:
        begun.set()
        held.wait(10)
        return len(opened.body)

    large = sent(many(b"1", SMALL_PARTS + 10))
    waiting = [asyncio.create_task(lanes.decode(large, slow)) for _ in range(MAX_WAITING)]
    await asyncio.to_thread(begun.wait, 10)

    assert await lanes.decode(sent(b"[1]"), lambda opened: opened.body) == b"[1]"
    with pytest.raises(OverloadedError, match="large bodies wait"):
        await asyncio.gather(*(lanes.decode(large, slow) for _ in range(MAX_WAITING)))
    held.set()
    assert await waiting[0] == len(large.raw)
    await asyncio.gather(*waiting, return_exceptions=True)
    lanes.close()


def test_a_lock_is_handed_to_whoever_waits() -> None:
    """One who takes it again and again would keep all others out."""
    turns, order = Turns(), list[str]()
    begun = threading.Event()

    def other() -> None:
        begun.set()
        with turns:
            order.append("other")

    with turns:
        thread = threading.Thread(target=other)
        thread.start()
        begun.wait(10)
        while not turns.waiting:
            pass
    with turns:
        order.append("first again")
    thread.join(10)

    assert order == ["other", "first again"]


def test_refusals_of_a_kind_become_one() -> None:
    """A million of them took half a gigabyte."""
    refusals = Refusals()
    refusals += [Rejection(reason="a" if i % 2 else "b", detail=str(i)) for i in range(5_000)]

    assert len(refusals) == MAX_KEPT + 2
    assert sum(refusal.count for refusal in refusals) == 5_000


@pytest.mark.parametrize("most", [1, 3, 10, 25, 1_000])
def test_pieces_hold_together_what_the_request_did(most: int) -> None:
    """A large request would lose points, or count them twice."""
    request = ExportMetricsServiceRequest.FromString(fuzzing.otlp_metrics().SerializeToString())
    wide: Any = request.resource_metrics.add().scope_metrics.add().metrics.add(name="wide").sum
    wide.aggregation_temporality, wide.is_monotonic = 2, True
    for number in range(40):
        wide.data_points.add(as_int=number, time_unix_nano=number + 1)

    found = list(pieces(request, max(10, most)))
    metrics = [
        m for p in found for r in p.resource_metrics for s in r.scope_metrics for m in s.metrics
    ]
    values = [point.as_int for m in metrics if m.name == "wide" for point in m.sum.data_points]

    assert values == list(range(40))
    assert all(m.sum.is_monotonic for m in metrics if m.name == "wide")
    assert {m.name for m in metrics} == {
        "cpu",
        "orders",
        "bytes",
        "latency",
        "sizes",
        "old",
        "wide",
    }
    assert found[0] is request or most < 1_000


def test_a_remote_body_of_many_series_is_refused(tmp_path: object) -> None:
    """Three megabytes held the store's lock for minutes."""
    from collectors.store.wire.counting import COUNTED_BYTES
    from collectors.store.wire.remote_body import decode_body, decode_body_v2

    limits = Limits(max_body_series=1_000)
    for size in (10_000, COUNTED_BYTES + 10):
        body = bytes(cramjam.snappy.compress_raw(b"\x0a\x00" * (size // 2)))
        with pytest.raises(TooLargeError, match="series"):
            decode_body(body, max_bytes=1 << 30, seed=1, limits=limits)
        second = bytes(cramjam.snappy.compress_raw(b"\x2a\x00" * (size // 2)))
        with pytest.raises(TooLargeError, match="series"):
            decode_body_v2(second, max_bytes=1 << 30, seed=1, limits=limits)


def test_native_histograms_without_end_are_refused_alone() -> None:
    """A list of a million counts would be added up before anybody asks how long it is."""
    from collectors.receivers.prometheus.remote_write_messages import message_class
    from collectors.receivers.testing.remote_write import label

    request = message_class("WriteRequest")()
    series = request.timeseries.add(labels=[label("__name__", "x")])
    series.histograms.append(
        message_class("Histogram")(
            count_int=1,
            schema=3,
            timestamp=fuzzing.T0,
            positive_spans=[{"offset": 0, "length": 5_000}],
            positive_deltas=[1] * 5_000,
        )
    )
    series.samples.add(timestamp=fuzzing.T0, value=1)
    store = FakeStore()
    client = TestClient(Starlette(routes=remote_write_routes(store)))
    packed = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    answer = client.post("/api/v1/write", content=packed, headers=PROTOBUF)

    assert answer.status_code == 400
    assert "bucketsTooMany" in answer.text
    assert store.samples(name="x") == [(fuzzing.T0, 1.0)]
