"""Small compressed bodies that become tens of millions of protobuf messages, over HTTP and gRPC."""

from __future__ import annotations

from collections.abc import Callable

import cramjam
import grpc

from tests.attack.attack import Attack, Scene
from tests.attack.sending import AT_ONCE, MEGABYTE, all_at_once, packed, post

PROTOBUF = {"content-type": "application/x-protobuf"}
GZIPPED = {**PROTOBUF, "content-encoding": "gzip"}
V2 = {"content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
WRITE = "/api/v1/write"
SERVICE = "/opentelemetry.proto.collector.{}.v1.{}Service/Export"


def field(number: int, content: bytes) -> bytes:
    """Return a protobuf field with a length."""
    size, length = len(content), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([number << 3 | 2]) + bytes(length) + bytes([size]) + content


def over_grpc(target: str, method: str, body: bytes) -> int:
    """Call a service with a compressed message; return the number of the status code."""
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(target, options) as channel:
        call = channel.unary_unary(method)
        try:
            call(body, timeout=60, compression=grpc.Compression.Gzip)
        except grpc.RpcError as error:
            return int(error.code().value[0])
    return 0


def bombs(scene: Scene) -> dict[str, Callable[[], int]]:
    """Return what sends each bomb, by what it is."""
    api, otlp = scene.stage.api, scene.stage.addresses["otlp_http"]
    target = scene.stage.addresses["otlp_grpc"].removeprefix("http://")
    half = 32 * MEGABYTE - 16
    empty = b"\x0a\x00" * half
    scopes = b"\x0a\x02\x12\x00" * (half // 2)
    attribute = field(1, b"k") + field(2, field(5, b"\x0a\x00" * (8 * MEGABYTE)))
    array = field(1, field(2, field(2, field(9, attribute))))
    small, nested, deep = packed(empty), packed(scopes), packed(array)
    labels = cramjam.snappy.compress_raw(field(1, b"\x0a\x00" * half + b"\x12\x00"))
    series = cramjam.snappy.compress_raw(empty)
    symbols = cramjam.snappy.compress_raw(b"\x22\x00" * half)
    metric = SERVICE.format("metrics", "Metrics")
    return {
        "resources": lambda: post(otlp + "/v1/metrics", small, GZIPPED),
        "scopes": lambda: post(otlp + "/v1/traces", nested, GZIPPED),
        "an array": lambda: post(otlp + "/v1/traces", deep, GZIPPED),
        "Zipkin's spans": lambda: post(api + "/api/v2/spans", small, GZIPPED),
        "series": lambda: post(api + WRITE, bytes(series), PROTOBUF),
        "labels": lambda: post(api + WRITE, bytes(labels), PROTOBUF),
        "symbols": lambda: post(api + WRITE, bytes(symbols), V2),
        "gRPC": lambda: over_grpc(target, metric, empty[: 4 * MEGABYTE * 4]),
    }


def run(scene: Scene) -> None:
    """Send each; at full size sixteen at once."""
    for name, send in bombs(scene).items():
        statuses = all_at_once(send, AT_ONCE if scene.full else 2)
        refused = {8, 14} if name == "gRPC" else {400, 413, 503}
        scene.claim(f"{name} are refused", set(statuses) <= refused, statuses)


ATTACK = Attack(
    name="protobuf-bombs",
    holds="Fields of a protobuf body are counted before messages are made of them.",
    run=run,
    memory_mb=500,
)
