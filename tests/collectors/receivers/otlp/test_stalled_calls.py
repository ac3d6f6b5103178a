"""OTLP over gRPC beside calls that begin and never send their message."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from collectors.limits import Limits
from collectors.receivers.otlp.grpc import OtlpGrpcServer
from collectors.receivers.testing.fakes import FakeStore

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def test_stalled_calls_keep_nobody_waiting_and_end() -> None:
    """Eight of them took all the threads there were."""
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait(30)
        yield b""

    store = FakeStore()
    server = OtlpGrpcServer(store, store, Limits(body_timeout_s=0.5))
    port = server.start(0)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stalled = [channel.stream_unary(METHOD).future(nothing()) for _ in range(40)]
            assert channel.unary_unary(METHOD)(b"", timeout=5) == b""
            codes = {call.exception(timeout=10).code() for call in stalled}
            over.set()
    finally:
        over.set()
        server.stop()

    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_a_message_larger_than_its_bound_is_refused_also_when_it_is_compressed() -> None:
    """A few kilobytes would become gigabytes before anybody looks."""
    store = FakeStore()
    server = OtlpGrpcServer(store, store, Limits(max_body_bytes=1 << 20))
    port = server.start(0)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(METHOD).future(
                b"\x0a\x00" * (1 << 20), compression=grpc.Compression.Gzip, timeout=10
            )
            assert call.exception().code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    finally:
        server.stop()
