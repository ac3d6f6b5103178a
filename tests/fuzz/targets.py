"""What is fuzzed: each decoder with what it should decode, and how bodies for it are made."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cramjam
import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.receivers.atlas.payload import Datapoint, decode_payload
from collectors.receivers.atlas.rules import refuse_atlas
from collectors.receivers.body import decompress
from collectors.receivers.otlp.json import to_protobuf
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.otlp.spans import OtlpSpans
from collectors.receivers.prometheus.remote_write import unsnap
from collectors.receivers.prometheus.remote_write_decoder import Decoded, RemoteWriteDecoder
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing import fuzzing
from collectors.store.wire.remote_body import decode_body

LIMITS = Limits(max_body_bytes=1 << 20, max_streams=500, max_meter_series=500)
Decode = Callable[[bytes], object]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A decoder and what it should decode; it keeps its state from body to body."""

    decode: Decode
    bodies: Sequence[bytes]


def otlp_metrics(json: bool) -> Subject:
    receiver = OtlpMetrics(fuzzing.CheckingStore(), LIMITS, ReceiverStats())
    message = fuzzing.otlp_metrics()
    if not json:
        return Subject(decode=receiver.export, bodies=[message.SerializeToString()])
    return Subject(
        decode=lambda body: receiver.export(to_protobuf(body, ExportMetricsServiceRequest())),
        bodies=[fuzzing.otlp_json(message)],
    )


def otlp_traces(json: bool) -> Subject:
    receiver = OtlpSpans(fuzzing.CheckingStore(), LIMITS, ReceiverStats())
    message = fuzzing.otlp_traces()
    if not json:
        return Subject(decode=receiver.export, bodies=[message.SerializeToString()])
    return Subject(
        decode=lambda body: receiver.export(to_protobuf(body, ExportTraceServiceRequest())),
        bodies=[fuzzing.otlp_json(message)],
    )


def remote_write(v2: bool) -> Subject:
    decoder, store = RemoteWriteDecoder(LIMITS), fuzzing.CheckingStore()

    def deliver(decoded: Decoded) -> None:
        store.write(decoded.samples.build())
        store.write(decoded.histograms.build())
        assert 0 <= decoded.histogram_count <= len(decoded.histograms)
        decoder.commit()

    def decode(body: bytes) -> None:
        if v2:
            deliver(decoder.decode_v2(body))
            return
        deliver(decoder.decode_v1(body))
        packed = bytes(cramjam.snappy.compress_raw(body))
        walked = decode_body(packed, max_bytes=LIMITS.max_body_bytes, seed=7)
        deliver(decoder.decode_extras(walked.extras))

    body = fuzzing.remote_write_v2() if v2 else fuzzing.remote_write_v1()
    return Subject(decode=decode, bodies=[body])


def remote_write_columns() -> Subject:
    def decode(body: bytes) -> None:
        packed = bytes(cramjam.snappy.compress_raw(body))
        columns = decode_body(packed, max_bytes=LIMITS.max_body_bytes, seed=7).columns
        assert int(columns.samples.sum()) == len(columns.time_ms)
        assert np.all(columns.labels[:, 0] <= columns.labels[:, 1])

    return Subject(decode=decode, bodies=[fuzzing.remote_write_v1()])


def snappy() -> Subject:
    packed = [bytes(cramjam.snappy.compress_raw(b)) for b in (b"", b"ab" * 500, os.urandom(200))]
    return Subject(decode=lambda body: unsnap(body, LIMITS.max_body_bytes), bodies=packed)


def gzipped() -> Subject:
    packed = [bytes(cramjam.gzip.compress(b)) for b in (b"", b"ab" * 500, os.urandom(200))]
    return Subject(decode=lambda body: decompress(body, "gzip", 1 << 20), bodies=packed)


def publish() -> Subject:
    def decode(body: bytes) -> None:
        for found in decode_payload(body, 1_000):
            if isinstance(found, Datapoint):
                refuse_atlas(found.tags)

    return Subject(decode=decode, bodies=fuzzing.PUBLISHED)


def scrape(openmetrics: bool) -> Subject:
    store = fuzzing.CheckingStore()
    address = TargetAddress(url="http://shop:80/metrics", labels={"job": "shop"})
    history = TargetHistory(ScrapeJob(name="shop"), address, LIMITS)

    def decode(body: bytes) -> None:
        # Without its end most injuries of a page would go unread.
        end = b"\n# EOF\n" if openmetrics and not body.endswith(b"# EOF\n") else b""
        store.write(history.take(body + end, openmetrics, fuzzing.T0).batch)

    return Subject(decode=decode, bodies=fuzzing.EXPOSED[openmetrics:][:1])


def spectator() -> Subject:
    registry = MeterRegistry(LIMITS, ReceiverStats(), fuzzing.T0)
    store, times = fuzzing.CheckingStore(), iter(range(fuzzing.T0, fuzzing.T0 + 10**12, 1_000))

    def decode(body: bytes) -> None:
        registry.receive(body, next(times))
        store.write(registry.flush(next(times)))

    return Subject(decode=decode, bodies=fuzzing.LINES)


def zipkin(json: bool) -> Subject:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from collectors.receivers.testing.grammars import GRAMMARS, Seeded
    from collectors.receivers.zipkin.http import zipkin_routes

    app = Starlette(routes=zipkin_routes(fuzzing.CheckingStore(), LIMITS))
    client = TestClient(app)
    media = "application/json" if json else "application/x-protobuf"

    def decode(body: bytes) -> None:
        answer = client.post("/api/v2/spans", content=body, headers={"content-type": media})
        if answer.status_code == 400:
            raise DecodeError(answer.text)
        assert answer.status_code == 202, answer.text

    grammar = GRAMMARS["zipkin-json" if json else "zipkin-protobuf"]
    found = (grammar(Seeded(seed)) for seed in range(200))
    return Subject(decode=decode, bodies=[body for body in found if _takes(decode, body)][:5])


def _takes(decode: Decode, body: bytes) -> bool:
    try:
        decode(body)
    except DecodeError:
        return False
    return True


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "otlp-metrics-protobuf": functools.partial(otlp_metrics, json=False),
    "otlp-metrics-json": functools.partial(otlp_metrics, json=True),
    "otlp-traces-protobuf": functools.partial(otlp_traces, json=False),
    "otlp-traces-json": functools.partial(otlp_traces, json=True),
    "remote-write-1": functools.partial(remote_write, v2=False),
    "remote-write-2": functools.partial(remote_write, v2=True),
    "remote-write-columns": remote_write_columns,
    "snappy": snappy,
    "gzip": gzipped,
    "publish": publish,
    "zipkin-json": functools.partial(zipkin, json=True),
    "zipkin-protobuf": functools.partial(zipkin, json=False),
    "scrape-text": functools.partial(scrape, openmetrics=False),
    "scrape-openmetrics": functools.partial(scrape, openmetrics=True),
    "spectator": spectator,
}
