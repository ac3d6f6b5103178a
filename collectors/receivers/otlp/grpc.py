"""OTLP over gRPC: the trace, metrics and logs services, usually on port 4317.

Status codes follow opentelemetry-proto ``docs/specification.md``: INVALID_ARGUMENT for bad data
(not to be retried), UNAVAILABLE with RetryInfo for overload, RESOURCE_EXHAUSTED for too large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from collectors.errors import ConfigError, InputError, OverloadedError, StorageError, TooLargeError
from collectors.limits import Limits
from collectors.model import MetricWriter, Receipt, SpanWriter
from collectors.receivers.gate import Gate
from collectors.receivers.otlp.http import refuse_logs
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.otlp.spans import OtlpSpans
from collectors.receivers.reply import partial_success
from collectors.receivers.sources.ledger import SourceLedger
from collectors.receivers.stats import ReceiverStats

RECEIVER = "otlp.grpc"
_SERVICE = "opentelemetry.proto.collector.{0}.v1.{1}Service"


class OtlpGrpcServer:
    """The receiver's server; decoding runs on its worker threads.

    Args:
        metrics: Where metrics go.
        spans: Where spans go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        receiver: Takes the metrics; others may share it. One of its own by default.
        sources: Where senders are kept; nobody keeps them by default.
    """

    def __init__(
        self,
        metrics: MetricWriter,
        spans: SpanWriter,
        limits: Limits | None = None,
        stats: ReceiverStats | None = None,
        receiver: OtlpMetrics | None = None,
        sources: SourceLedger | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._stats = stats or ReceiverStats()
        receiver = receiver or OtlpMetrics(metrics, self._limits, self._stats)
        self._sources = sources
        self._gate = Gate(self._limits)
        self._exports: dict[str, tuple[str, Callable[[bytes], Receipt]]] = {
            _SERVICE.format("trace", "Trace"): (
                "rejected_spans",
                OtlpSpans(spans, self._limits, self._stats).export,
            ),
            _SERVICE.format("metrics", "Metrics"): (
                "rejected_data_points",
                receiver.export,
            ),
            _SERVICE.format("logs", "Logs"): (
                "rejected_log_records",
                lambda body: refuse_logs(body, self._stats),
            ),
        }
        self._server: Any = None

    def start(self, port: int, host: str = "127.0.0.1", interceptors: Sequence[Any] = ()) -> int:
        """Listen and return the port; raise :class:`ConfigError` if it is taken.

        Args:
            port: 0 for any free one.
            host: Address to listen on.
            interceptors: ``grpc.ServerInterceptor`` that see each call first.
        """
        server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="otlp-grpc"),
            options=[
                ("grpc.max_receive_message_length", self._limits.max_body_bytes),
                ("grpc.so_reuseport", 0),
            ],
            interceptors=tuple(interceptors),
            maximum_concurrent_rpcs=4 * self._limits.max_in_flight,
        )
        for service, (field, export) in self._exports.items():
            server.add_generic_rpc_handlers((self._handlers(service, field, export),))
        try:
            bound: int = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise ConfigError(
                f"OTLP/gRPC can't listen on {host}:{port}: {error}; choose another port"
            ) from error
        server.start()
        self._server = server
        return bound

    def stop(self, grace_s: float = 1.0) -> None:
        """Stop listening, letting calls in work finish for ``grace_s`` seconds."""
        if self._server is not None:
            self._server.stop(grace_s).wait()
            self._server = None

    def _handlers(self, service: str, field: str, export: Callable[[bytes], Receipt]) -> Any:
        def call(body: bytes, context: Any) -> bytes:
            if self._sources is None:
                return self._export(body, context, field, export)
            agent = dict(context.invocation_metadata()).get("user-agent", "")
            with self._sources.arriving(host_of(context.peer()), agent):
                return self._export(body, context, field, export)

        # No (de)serialisers: the body stays bytes, as over HTTP.
        return grpc.method_handlers_generic_handler(
            service, {"Export": grpc.unary_unary_rpc_method_handler(call)}
        )

    def _export(
        self, body: bytes, context: Any, field: str, export: Callable[[bytes], Receipt]
    ) -> bytes:
        try:
            with self._gate.enter() as place:
                place.hold(len(body))
                return partial_success(field, export(body)).as_protobuf()
        except TooLargeError as error:
            self._stats.refuse(RECEIVER, "tooLarge", detail=error.message)
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, error.message)
        except InputError as error:
            self._stats.refuse(RECEIVER, type(error).__name__, detail=error.message)
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        except OverloadedError as error:
            self._stats.refuse(RECEIVER, "overloaded", detail=error.message)
            self._abort_retryable(context, error.message, error.retry_after_s)
        except StorageError as error:
            self._stats.refuse(RECEIVER, "storage", detail=error.message)
            self._abort_retryable(context, error.message, self._limits.retry_after_s)
        return b""

    @staticmethod
    def _abort_retryable(context: Any, message: str, retry_after_s: int) -> None:
        """Abort with UNAVAILABLE and a RetryInfo detail, as the specification asks."""
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=retry_after_s)))
        status = Status(code=grpc.StatusCode.UNAVAILABLE.value[0], message=message)
        status.details.append(detail)
        trailer = (("grpc-status-details-bin", status.SerializeToString()),)
        context.set_trailing_metadata(trailer)
        context.abort(grpc.StatusCode.UNAVAILABLE, message)


def host_of(peer: str) -> str:
    """Return the host of a peer as gRPC names it.

    >>> host_of("ipv4:10.0.0.1:51234"), host_of("ipv6:%5B::1%5D:51234"), host_of("unix:")
    ('10.0.0.1', '::1', 'unix:')
    """
    family, _, rest = unquote(peer).partition(":")
    host, _, port = rest.rpartition(":")
    return host.strip("[]") if family in ("ipv4", "ipv6") and port else peer
