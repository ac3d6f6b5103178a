"""What every receiver does: takes good data, refuses junk with a reason, keeps good beside bad."""

import asyncio
import functools
import gzip
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cramjam
import grpc
import httpx2
import orjson
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from collectors.clock import ManualClock
from collectors.errors import ConfigError, OverloadedError, StorageError, TocsinError
from collectors.limits import Limits
from collectors.receivers.atlas.publish import publish_routes
from collectors.receivers.gate import Gate
from collectors.receivers.log_lines.http import log_line_routes
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.otlp.http import otlp_app
from collectors.receivers.prometheus.remote_write import V2, remote_write_routes
from collectors.receivers.prometheus.remote_write_messages import message_class
from collectors.receivers.prometheus.scrape.config import (
    ScrapeConfig,
    ScrapeJob,
    ScrapeLimits,
    TargetGroup,
)
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.spectator.udp import SpectatorListener
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore, serve
from collectors.receivers.testing.remote_write import label, request_v2
from collectors.receivers.zipkin.http import zipkin_routes
from collectors.receivers.zipkin.messages import message_class as zipkin_message_class

T0 = 1_700_000_000_000
LIMITS = Limits(max_body_bytes=200_000)


@dataclass(kw_only=True)
class Subject:
    """One receiver under test: ``send`` returns a status such as ``200`` or ``UNAVAILABLE``."""

    store: FakeStore
    stats: ReceiverStats
    send: Callable[[bytes], str]
    good: bytes
    mixed: bytes
    ok: str = "200"
    partial: str = "200"
    bad: tuple[str, ...] = ("400",)
    too_large: str = "413"
    busy: str = "503"
    junk: bytes = b"\xff\xfejunk"

    @property
    def nameless(self) -> bool:
        """Whether this receiver takes spans or log records."""
        spans = {otlp_spans(), zipkin_json(), zipkin_protobuf()}
        return self.good in spans | {otlp_logs(), LINE}


def otlp_metrics() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="cpu")
    metric.gauge.data_points.add(as_double=0.5, time_unix_nano=T0 * 1_000_000)
    return request.SerializeToString()


def otlp_mixed_metrics() -> bytes:
    request = ExportMetricsServiceRequest.FromString(otlp_metrics())
    request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points.add(as_double=1)
    return request.SerializeToString()


def otlp_spans(bad: bool = False) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    spans.add(
        trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=1, end_time_unix_nano=2, name="a"
    )
    if bad:
        spans.add(trace_id=b"short", span_id=b"s" * 8, start_time_unix_nano=1)
    return request.SerializeToString()


LINE = b'{"message": "no stock", "service": "shop"}\n'


def otlp_logs(bad: bool = False) -> bytes:
    """Return a log record, and one whose time can't be."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=T0 * 1_000_000).body.string_value = "no stock"
    if bad:
        records.add(time_unix_nano=2**64 - 1)
    return request.SerializeToString()


def log_lines() -> Subject:
    """Lines of JSON."""
    store, stats = FakeStore(), ReceiverStats()
    app = Starlette(routes=log_line_routes(store, LIMITS, stats))
    send = over_http(app, "/api/v1/logs", {"content-type": "application/x-ndjson"})
    return Subject(store=store, stats=stats, send=send, good=LINE, mixed=LINE + b"[1]\n")


def over_http(app: Starlette, path: str, headers: dict[str, str]) -> Callable[[bytes], str]:
    client = TestClient(app)
    return lambda body: str(client.post(path, content=body, headers=headers).status_code)


def http_otlp(path: str, good: bytes, mixed: bytes) -> Subject:
    store, stats = FakeStore(), ReceiverStats()
    send = over_http(
        otlp_app(store, store, LIMITS, stats, logs=store),
        path,
        {"content-type": "application/x-protobuf"},
    )
    return Subject(store=store, stats=stats, send=send, good=good, mixed=mixed)


def http_publish() -> Subject:
    store, stats = FakeStore(), ReceiverStats()
    routes = publish_routes(store, LIMITS, ManualClock(T0), 60_000, stats)
    point = {"tags": {"name": "cpu"}, "timestamp": T0, "value": 0.5}
    return Subject(
        store=store,
        stats=stats,
        send=over_http(Starlette(routes=routes), "/api/v1/publish", {}),
        good=orjson.dumps([point]),
        mixed=orjson.dumps([point, {**point, "tags": {}}]),
        partial="202",
    )


def remote_write(v2: bool) -> Subject:
    store, stats = FakeStore(), ReceiverStats()
    proto = f";proto={V2}" if v2 else ""
    headers = {"content-type": f"application/x-protobuf{proto}"}
    app = Starlette(routes=remote_write_routes(store, LIMITS, stats))
    if v2:
        request = request_v2(["", "__name__", "cpu"])
        request.timeseries.add(labels_refs=[1, 2]).samples.add(value=0.5, timestamp=T0)
    else:
        request = message_class("WriteRequest")()
        named = label("__name__", "cpu")
        request.timeseries.add(labels=[named]).samples.add(value=0.5, timestamp=T0)
    good = request.SerializeToString()
    request.timeseries.add().samples.add(value=1, timestamp=T0)
    mixed = request.SerializeToString()
    return Subject(
        store=store,
        stats=stats,
        send=over_http(app, "/api/v1/write", headers),
        good=bytes(cramjam.snappy.compress_raw(good)),
        mixed=bytes(cramjam.snappy.compress_raw(mixed)),
        ok="204",
        partial="400",
        bad=("400", "413"),  # a snappy block announces its own size
    )


def zipkin_json(bad: bool = False) -> bytes:
    """Return a Zipkin span, and one whose id is none."""
    good = {"traceId": "a1", "id": "b2", "timestamp": 1, "duration": 2, "name": "get"}
    return orjson.dumps([good, *([{**good, "id": "zz"}] if bad else [])])


def zipkin_protobuf(bad: bool = False) -> bytes:
    """Return a Zipkin span, and one that is cut off."""
    message = zipkin_message_class("Span")
    span = message(trace_id=b"t" * 8, id=b"s" * 8, timestamp=1, duration=2, name=b"get")
    raw = span.SerializeToString()
    spans = [raw, *([raw[:-1]] if bad else [])]
    return bytes(zipkin_message_class("ListOfSpans")(spans=spans).SerializeToString())


def zipkin(media: str, good: bytes, mixed: bytes) -> Subject:
    """Zipkin's API for reporters."""
    store, stats = FakeStore(), ReceiverStats()
    app = Starlette(routes=zipkin_routes(store, LIMITS, stats))
    send = over_http(app, "/api/v2/spans", {"content-type": media})
    return Subject(
        store=store, stats=stats, send=send, good=good, mixed=mixed, ok="202", partial="202"
    )


HTTP: dict[str, Callable[[], Subject]] = {
    "otlp-http-metrics": lambda: http_otlp("/v1/metrics", otlp_metrics(), otlp_mixed_metrics()),
    "otlp-http-traces": lambda: http_otlp("/v1/traces", otlp_spans(), otlp_spans(bad=True)),
    "otlp-http-logs": lambda: http_otlp("/v1/logs", otlp_logs(), otlp_logs(bad=True)),
    "log-lines": log_lines,
    "publish": http_publish,
    "remote-write-1": lambda: remote_write(v2=False),
    "remote-write-2": lambda: remote_write(v2=True),
    "zipkin-json": lambda: zipkin("application/json", zipkin_json(), zipkin_json(bad=True)),
    "zipkin-protobuf": lambda: zipkin(
        "application/x-protobuf", zipkin_protobuf(), zipkin_protobuf(bad=True)
    ),
}
GRPC = {
    "otlp-grpc-metrics": ("metrics.v1.Metrics", otlp_metrics(), otlp_mixed_metrics()),
    "otlp-grpc-traces": ("trace.v1.Trace", otlp_spans(), otlp_spans(bad=True)),
    "otlp-grpc-logs": ("logs.v1.Logs", otlp_logs(), otlp_logs(bad=True)),
}


def spectator() -> Subject:
    """The meters behind the socket; a datagram is followed by a flush."""
    store, stats, clock = FakeStore(), ReceiverStats(), ManualClock(T0)
    registry = MeterRegistry(LIMITS, stats, T0)
    listener = SpectatorListener(registry, store, clock)
    listener.stats = stats

    def send(datagram: bytes) -> str:
        clock.advance_ms(1_000)
        before = stats.refused("spectator")
        listener.datagram_received(datagram, None)
        asyncio.run(listener.flush())
        return "ok" if stats.refused("spectator") == before else "refused"

    return Subject(
        store=store,
        stats=stats,
        send=send,
        good=b"g:cpu:1",
        mixed=b"g:cpu:1\ng::1",
        ok="ok",
        partial="refused",
        bad=("refused",),
        too_large="refused",
        busy="refused",
    )


def scrape() -> Subject:
    """A scraper whose target answers what is sent; a wrong line fails the whole page."""
    store, stats = FakeStore(), ReceiverStats()
    page = [b""]
    group = TargetGroup(targets=("shop:80",))
    limits = ScrapeLimits(body_bytes=LIMITS.max_body_bytes)
    config = ScrapeConfig(jobs=(ScrapeJob(name="shop", static=(group,), limits=limits),))

    async def answer(_: Request) -> Response:
        return Response(page[0], media_type="text/plain")

    def send(body: bytes) -> str:
        page[0] = body
        before = stats.refusals("prometheus.scrape").get("storeUnavailable", 0)
        asyncio.run(once())
        if stats.refusals("prometheus.scrape").get("storeUnavailable", 0) > before:
            return "refused"
        return "up" if scraper.targets[0].up else "down"

    transport = httpx2.ASGITransport(Starlette(routes=[Route("/metrics", answer)]))
    http = httpx2.AsyncClient(transport=transport)
    scraper = Scraper(config, store, ManualClock(T0), http, limits=LIMITS, stats=stats)

    async def once() -> None:
        await scraper.refresh()
        await scraper.scrape_all()

    return Subject(
        store=store,
        stats=stats,
        send=send,
        good=b"cpu 0.5\n",
        mixed=b'cpu 0.5\nother{x="' + b"v" * 300 + b'"} 1\n',
        ok="up",
        partial="up",
        bad=("down",),
        too_large="down",
        busy="refused",
    )


OTHERS: dict[str, Callable[[], Subject]] = {"spectator": spectator, "scrape": scrape}


@pytest.fixture(params=[*HTTP, *OTHERS, *GRPC])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param in OTHERS:
        yield OTHERS[request.param]()
        return
    if request.param in HTTP:
        yield HTTP[request.param]()
        return
    service, good, mixed = GRPC[request.param]
    store, stats = FakeStore(), ReceiverStats()
    server = OtlpGrpcServer(store, store, LIMITS, stats, logs=store)
    path = f"/opentelemetry.proto.collector.{service}Service/Export"
    with grpc.insecure_channel(f"127.0.0.1:{server.start(0)}") as channel:
        call = channel.unary_unary(path)

        def send(body: bytes) -> str:
            try:
                call(body, timeout=10)
            except grpc.RpcError as error:
                return str(error.code().name)
            return "OK"

        yield Subject(
            store=store,
            stats=stats,
            send=send,
            good=good,
            mixed=mixed,
            ok="OK",
            partial="OK",
            bad=("INVALID_ARGUMENT",),
            too_large="RESOURCE_EXHAUSTED",
            busy="UNAVAILABLE",
        )
    server.stop(0)


def kept(store: FakeStore) -> int:
    """Return how many series called cpu, spans or log records the store has."""
    return len(store.series(name="cpu")) + len(store.spans) + len(store.bodies())


def test_good_data_is_kept_and_counted(subject: Subject) -> None:
    """A receiver would lose data, or hide how much it takes."""
    assert subject.send(subject.good) == subject.ok
    assert kept(subject.store) == 1
    totals = subject.stats.batch(T0)
    assert {series["name"] for series in totals.series} == {"tocsin.receiver.accepted"}
    assert totals.value.sum() >= 1


def test_junk_is_refused_and_the_receiver_goes_on(subject: Subject) -> None:
    """One bad sender would stop a receiver for all."""
    assert subject.send(subject.junk) in subject.bad
    assert subject.send(subject.good) == subject.ok
    assert kept(subject.store) == 1
    names = [series["name"] for series in subject.stats.batch(T0).series]
    assert "tocsin.receiver.refused" in names


def test_good_beside_bad_is_kept(subject: Subject) -> None:
    """One bad part would lose the good ones, or vanish without a reason."""
    assert subject.send(subject.mixed) == subject.partial
    assert kept(subject.store) == 1
    refused = [s for s in subject.stats.batch(T0).series if s["name"].endswith("refused")]
    assert len(refused) == 1
    assert refused[0]["reason"]


def test_what_the_store_refuses_is_counted_by_its_reason(subject: Subject) -> None:
    """Such as the limit on new series a minute: the self-metric names it, for every receiver."""
    if subject.nameless:
        pytest.skip("spans and log records have no names to refuse")
    subject.store.refuse_names = frozenset({"cpu"})
    subject.send(subject.good)
    totals = subject.stats.batch(T0)
    refused = {
        tags["reason"]: value
        for tags, value in zip(totals.series, totals.value, strict=True)
        if tags["name"] == "tocsin.receiver.refused"
    }
    assert refused == {"refusedByTest": 1}


def test_a_body_over_the_limit_is_refused(subject: Subject) -> None:
    """A stranger could take all of the memory."""
    assert subject.send(subject.good + b"\0" * 300_000) == subject.too_large
    assert subject.send(subject.good) == subject.ok


@pytest.mark.parametrize("failure", [OverloadedError("full"), StorageError("disk")])
def test_a_failing_store_means_try_again(subject: Subject, failure: TocsinError) -> None:
    """Retryable, and the retry counts once."""
    subject.store.failure = failure
    assert subject.send(subject.good) == subject.busy
    subject.store.failure = None
    assert subject.send(subject.good) == subject.ok
    assert kept(subject.store) == 1


@functools.cache
def _fuzzed(name: str) -> Subject:
    return (HTTP | OTHERS)[name]()


@pytest.mark.parametrize("name", [*HTTP, *OTHERS])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(junk=st.binary(max_size=300), cut=st.integers(0, 60), flip=st.integers(0, 400))
def test_any_bytes_are_answered(name: str, junk: bytes, cut: int, flip: int) -> None:
    """Random, truncated and bit-flipped bodies never crash, nor take what comes after."""
    subject = _fuzzed(name)
    allowed = {subject.ok, subject.partial, *subject.bad, subject.too_large}
    flipped = bytearray(subject.good)
    flipped[flip % len(flipped)] ^= 1 << (flip % 8)
    for body in (junk, subject.good[:-cut], subject.good + junk, bytes(flipped)):
        assert subject.send(body) in allowed
    assert subject.send(subject.good) == subject.ok


def test_too_many_bytes_at_once_are_an_overload() -> None:
    """All requests together are bounded, and give their bytes back when they leave."""
    gate = Gate(Limits(max_in_flight_bytes=1_000))
    with gate.enter() as first, gate.enter() as second:
        first.hold(600)
        with pytest.raises(OverloadedError, match="600 bytes are in work"):
            second.hold(500)
        second.hold(400)
    assert (gate.in_flight, gate.bytes_held) == (0, 0)


def test_a_body_that_never_ends_is_given_up() -> None:
    """A client that stalls holds its place for a bounded time."""
    limits = Limits(body_timeout_s=0.2)
    with serve(otlp_app(FakeStore(), FakeStore(), limits)) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n"
                b"content-type: application/x-protobuf\r\n\r\nabc"
            )
            client.settimeout(10)
            assert client.recv(100).startswith(b"HTTP/1.1 400")


def test_grpc_overload_carries_retry_info() -> None:
    """Exporters would retry at once and keep the server full."""
    store = FakeStore(OverloadedError("full", retry_after_s=7))
    server = OtlpGrpcServer(store, store)
    with grpc.insecure_channel(f"127.0.0.1:{server.start(0)}") as channel:
        call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as caught:
            call(otlp_spans(), timeout=10)
    server.stop(0)
    trailers = dict(caught.value.trailing_metadata())
    status = Status.FromString(trailers["grpc-status-details-bin"])
    info = RetryInfo()
    assert status.details[0].Unpack(info)
    assert info.retry_delay.seconds == 7


def test_grpc_says_which_port_is_taken() -> None:
    """The operator would not learn which port to change."""
    store = FakeStore()
    first = OtlpGrpcServer(store, store)
    port = first.start(0)
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
        OtlpGrpcServer(store, store).start(port)
    first.stop(0)


def test_http_overload_tells_when_to_come_back() -> None:
    """Exporters would retry at once and keep the server full."""
    store = FakeStore(OverloadedError("full", retry_after_s=7))
    client = TestClient(otlp_app(store, store))
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    response = client.post("/v1/traces", content=gzip.compress(otlp_spans()), headers=headers)
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
