"""OTLP over gRPC: the trace, metrics and logs services, usually on port 4317.

Status codes follow opentelemetry-proto ``docs/specification.md``: INVALID_ARGUMENT for bad data
(not to be retried), UNAVAILABLE with RetryInfo for overload, RESOURCE_EXHAUSTED for too large.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.errors import ConfigError, InputError, OverloadedError, StorageError, TooLargeError
from collectors.limits import Limits
from collectors.log_batch import LogWriter
from collectors.model import MetricWriter, Receipt, SpanWriter
from collectors.receivers.body import decompress
from collectors.receivers.gate import Gate
from collectors.receivers.log_turns import NotKept
from collectors.receivers.otlp.logs import OtlpLogs
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.otlp.spans import OtlpSpans
from collectors.receivers.reply import partial_success
from collectors.receivers.sources.ledger import SourceLedger
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.lanes import Lanes
from collectors.receivers.work.opening import Opened, Sent

RECEIVER = "otlp.grpc"
_SERVICE = "opentelemetry.proto.collector.{0}.v1.{1}Service"
# An open connection that does not even say that it speaks HTTP/2 is closed.
_HANDSHAKE_MS = 10_000
# Calls of one connection at one time; exporters have one or two.
_MAX_STREAMS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    """One service: its request, what takes it, and what a refused unit is called."""

    path: str
    message: Any
    export: Callable[[Opened], Receipt]
    rejected_field: str


class Beside(Protocol):
    """Has another process take the same message while it is taken here.

    It is given the message's path over HTTP, its bytes, its sender's address and the work.
    """

    async def __call__(
        self, path: str, body: bytes, peer: str, work: Awaitable[Receipt], /
    ) -> Receipt:
        """Return what the work returns, once the other has the message or will get it."""
        ...


class OtlpGrpcServer:
    """The receiver's server, on an event loop and a thread of its own.

    A call that has not sent its message yet waits on the loop and takes no thread, and not longer
    than ``body_timeout_s``. That is why the calls are declared to stream their request: one that
    doesn't is read by the library, which waits for ever.

    Args:
        metrics: Where metrics go.
        spans: Where spans go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        receiver: Takes the metrics; others may share it. One of its own by default.
        sources: Where senders are kept; nobody keeps them by default.
        lanes: Threads to decode in; own ones by default.
        logs: Where log records go; without it they are answered, counted and not kept.
        beside: Has another process take each message as well; None: none does.
    """

    def __init__(
        self,
        metrics: MetricWriter,
        spans: SpanWriter,
        limits: Limits | None = None,
        stats: ReceiverStats | None = None,
        receiver: OtlpMetrics | None = None,
        sources: SourceLedger | None = None,
        lanes: Lanes | None = None,
        logs: LogWriter | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._beside = beside
        self._limits = limits or Limits()
        self._stats = stats or ReceiverStats()
        self._sources = sources
        self._lanes = lanes or Lanes()
        self._gate = Gate(self._limits)
        receiver = receiver or OtlpMetrics(metrics, self._limits, self._stats)
        traces = OtlpSpans(spans, self._limits, self._stats)
        lines = OtlpLogs(logs or NotKept(), self._limits, self._stats)
        self._signals = {
            _SERVICE.format("trace", "Trace"): _Signal(
                path="/v1/traces",
                message=ExportTraceServiceRequest.DESCRIPTOR,
                export=lambda opened: traces.export(opened.body, budget=opened.budget),
                rejected_field="rejected_spans",
            ),
            _SERVICE.format("metrics", "Metrics"): _Signal(
                path="/v1/metrics",
                message=ExportMetricsServiceRequest.DESCRIPTOR,
                export=lambda opened: receiver.export(opened.body, budget=opened.budget),
                rejected_field="rejected_data_points",
            ),
            _SERVICE.format("logs", "Logs"): _Signal(
                path="/v1/logs",
                message=ExportLogsServiceRequest.DESCRIPTOR,
                export=lambda opened: lines.export(opened.body, budget=opened.budget),
                rejected_field="rejected_log_records",
            ),
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="otlp-grpc", daemon=True
        )
        self._server: Any = None

    def start(
        self,
        port: int,
        host: str = "127.0.0.1",
        interceptors: Sequence[Any] = (),
        credentials: Any = None,
    ) -> int:
        """Listen and return the port; raise :class:`ConfigError` if it is taken.

        Args:
            port: 0 for any free one.
            host: Address to listen on.
            interceptors: ``grpc.aio.ServerInterceptor`` that see each call first.
            credentials: ``grpc.ServerCredentials`` of TLS; None: nothing is encrypted.
        """
        self._thread.start()
        try:
            bound: int = self._run(self._listen(f"{host}:{port}", interceptors, credentials))
        except RuntimeError as error:
            self.stop()
            raise ConfigError(
                f"OTLP/gRPC can't listen on {host}:{port}: {error}; choose another port"
            ) from error
        return bound

    def stop(self, grace_s: float = 1.0) -> None:
        """Stop listening, letting calls in work finish for ``grace_s`` seconds."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            if self._server is not None:
                self._run(self._server.stop(grace_s))
                self._server = None
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, address: str, interceptors: Sequence[Any], credentials: Any) -> int:
        server = grpc.aio.server(
            interceptors=tuple(interceptors),
            options=[
                ("grpc.max_receive_message_length", self._limits.max_body_bytes),
                ("grpc.so_reuseport", 0),
                ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
                ("grpc.max_concurrent_streams", _MAX_STREAMS),
                ("grpc.max_connection_idle_ms", int(self._limits.connection_idle_s * 1_000)),
                ("grpc.max_allowed_incoming_connections", self._limits.max_grpc_connections),
            ],
        )
        for service, signal in self._signals.items():
            server.add_generic_rpc_handlers((self._handlers(service, signal),))
        bound: int = (
            server.add_insecure_port(address)
            if credentials is None
            else server.add_secure_port(address, credentials)
        )
        await server.start()
        self._server = server
        return bound

    def _handlers(self, service: str, signal: _Signal) -> Any:
        async def call(messages: Any, context: Any) -> bytes:
            del messages  # read through the context, which takes a deadline
            if self._sources is None:
                return await self._answer(signal, context)
            agent = dict(context.invocation_metadata()).get("user-agent", "")
            with self._sources.arriving(host_of(context.peer()), agent):
                return await self._answer(signal, context)

        # No (de)serialisers: the body stays bytes, as over HTTP.
        return grpc.method_handlers_generic_handler(
            service, {"Export": grpc.stream_unary_rpc_method_handler(call)}
        )

    async def _answer(self, signal: _Signal, context: Any) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_timeout_s):
                body = await context.read()
        except TimeoutError:
            message = f"no message within {self._limits.body_timeout_s:g} s; send faster"
            self._stats.refuse(RECEIVER, "timeout", detail=message)
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, message)
        if not isinstance(body, bytes):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no message")
        try:
            work = self._export(body, signal)
            if self._beside is not None:
                peer = host_of(context.peer())
                receipt = await self._beside(signal.path, body, peer, work)
            else:
                receipt = await work
        except TooLargeError as error:
            self._stats.refuse(RECEIVER, "tooLarge", detail=error.message)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, error.message)
        except InputError as error:
            self._stats.refuse(RECEIVER, type(error).__name__, detail=error.message)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        except OverloadedError as error:
            self._stats.refuse(RECEIVER, "overloaded", detail=error.message)
            await self._abort_retryable(context, error.message, error.retry_after_s)
        except StorageError as error:
            self._stats.refuse(RECEIVER, "storage", detail=error.message)
            await self._abort_retryable(context, error.message, self._limits.retry_after_s)
        return partial_success(signal.rejected_field, receipt).as_protobuf()

    async def _export(self, body: bytes, signal: _Signal) -> Receipt:
        with self._gate.enter() as place:
            place.hold(len(body))
            sent = Sent(
                raw=body,
                encoding="",
                message=signal.message,
                limits=self._limits,
                place=place,
                unpack=decompress,
            )
            return await self._lanes.decode(sent, signal.export)

    @staticmethod
    async def _abort_retryable(context: Any, message: str, retry_after_s: int) -> None:
        """Abort with UNAVAILABLE and a RetryInfo detail, as the specification asks."""
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=retry_after_s)))
        status = Status(code=grpc.StatusCode.UNAVAILABLE.value[0], message=message)
        status.details.append(detail)
        trailer = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(grpc.StatusCode.UNAVAILABLE, message, trailer)


def host_of(peer: str) -> str:
    """Return the host of a peer as gRPC names it.

    >>> host_of("ipv4:10.0.0.1:51234"), host_of("ipv6:%5B::1%5D:51234"), host_of("unix:")
    ('10.0.0.1', '::1', 'unix:')
    """
    family, _, rest = unquote(peer).partition(":")
    host, _, port = rest.rpartition(":")
    return host.strip("[]") if family in ("ipv4", "ipv6") and port else peer
