"""gRPC calls that begin and never send their message."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from tests.attack.attack import Attack, Scene

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def run(scene: Scene) -> None:
    """Hold many calls open; an honest exporter goes on beside them."""
    target = scene.stage.addresses["otlp_grpc"].removeprefix("http://")
    over = threading.Event()

    def nothing() -> Iterator[bytes]:
        over.wait(60)
        yield b""

    channels = [
        grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        for _ in range(16 if scene.full else 4)
    ]
    stalled = [
        channel.stream_unary(METHOD).future(nothing()) for channel in channels for _ in range(50)
    ]
    try:
        with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            export = channel.unary_unary(METHOD)
            answers = [export(b"", timeout=2) for _ in range(20)]
        scene.claim("an honest exporter is answered", len(answers) == 20, len(answers))
        codes = {call.code() for call in stalled if _ends(call)}
        scene.claim(
            "stalled calls end by their deadline",
            codes == {grpc.StatusCode.DEADLINE_EXCEEDED},
            codes,
        )
    finally:
        over.set()
        for channel in channels:
            channel.close()


def _ends(call: grpc.Future) -> bool:
    try:
        call.result(timeout=10)
    except grpc.FutureTimeoutError:
        return False
    except grpc.RpcError:
        pass
    return True


ATTACK = Attack(
    name="stalled-grpc",
    holds="A call without its message takes no thread, and ends by its deadline.",
    run=run,
    settings={"body_timeout": "3s"},
    memory_mb=100,
)
