"""OTLP over HTTP: ``/v1/traces``, ``/v1/metrics`` and ``/v1/logs``, usually on port 4318.

Follows opentelemetry-proto ``docs/specification.md`` 1.11: protobuf and JSON by content type, gzip,
partial success with reasons, errors as ``google.rpc.Status`` in the request's encoding, 413 for
bodies too large after decompression, 503 with ``Retry-After`` when overloaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import orjson
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collectors.errors import TooLargeError, UnsupportedError
from collectors.limits import Limits
from collectors.log_batch import LogWriter
from collectors.model import MetricWriter, Receipt, SpanWriter
from collectors.receivers.door import Door, Refused, media_type
from collectors.receivers.gate import Place
from collectors.receivers.log_turns import NotKept
from collectors.receivers.otlp.json import to_protobuf
from collectors.receivers.otlp.logs import OtlpLogs
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.otlp.spans import OtlpSpans
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.reply import partial_success
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.budget import Budget
from collectors.receivers.work.lanes import Lanes
from collectors.receivers.work.opening import Opened

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
RECEIVER = "otlp.http"

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# google.rpc.Code
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNIMPLEMENTED, _UNAVAILABLE = 3, 8, 12, 14


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    """One path: how to decode its request and what a refused unit is called in the answer."""

    request: Callable[[], Message]
    export: Callable[[bytes, Flaws, Budget], Receipt]
    rejected_field: str


def otlp_app(
    metrics: MetricWriter,
    spans: SpanWriter,
    limits: Limits | None = None,
    stats: ReceiverStats | None = None,
    receiver: OtlpMetrics | None = None,
    lanes: Lanes | None = None,
    logs: LogWriter | None = None,
) -> Starlette:
    """Return the ASGI app of the OTLP/HTTP receiver.

    Args:
        metrics: Where metrics go.
        spans: Where spans go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        receiver: Takes the metrics; others may share it. One of its own by default.
        lanes: Threads to decode in; own ones by default.
        logs: Where log records go; without it they are answered, counted and not kept.
    """
    limits, stats = limits or Limits(), stats or ReceiverStats()
    receiver = receiver or OtlpMetrics(metrics, limits, stats)
    door, lanes = Door(RECEIVER, limits, stats), lanes or Lanes()
    signals = {
        "/v1/traces": _Signal(
            request=ExportTraceServiceRequest,
            export=OtlpSpans(spans, limits, stats).export,
            rejected_field="rejected_spans",
        ),
        "/v1/metrics": _Signal(
            request=ExportMetricsServiceRequest,
            export=receiver.export,
            rejected_field="rejected_data_points",
        ),
        "/v1/logs": _Signal(
            request=ExportLogsServiceRequest,
            export=OtlpLogs(logs or NotKept(), limits, stats).export,
            rejected_field="rejected_log_records",
        ),
    }
    routes = [
        Route(path, _Endpoint(signal, door, lanes).answer, methods=_METHODS)
        for path, signal in signals.items()
    ]
    return Starlette(routes=[Route("/", _front, methods=["GET"]), *routes])


async def _front(request: Request) -> Response:
    """Tell a person who opens the address what it is for."""
    return PlainTextResponse(
        f"OTLP over HTTP is received here. Set OTEL_EXPORTER_OTLP_ENDPOINT={request.base_url}\n"
        "and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf in the environment of your service.\n"
    )


class _Endpoint:
    """One path of the receiver."""

    def __init__(self, signal: _Signal, door: Door, lanes: Lanes) -> None:
        self._signal = signal
        self._lanes = lanes
        self._door = door

    async def answer(self, request: Request) -> Response:
        """Answer any request to this path."""
        media = media_type(request)
        if request.method != "POST":
            detail = f"{request.method} is not possible here, use POST"
            return _failure(media, 405, _UNIMPLEMENTED, detail, {"Allow": "POST"})
        work = partial(self._export, request, media)
        return await self._door.answer(work, partial(_refusal, media))

    async def _export(self, request: Request, media: str, place: Place) -> Response:
        if media not in (PROTOBUF, JSON):
            raise UnsupportedError(
                f"content type {media[:60]!r} is not spoken here; use {PROTOBUF} or {JSON}"
            )
        message = None if media == JSON else self._signal.request().DESCRIPTOR
        take = partial(self._decode, media=media)
        sent = await self._door.sent(request, place, message)
        receipt = await self._lanes.decode(sent, take)
        response = partial_success(self._signal.rejected_field, receipt)
        content = orjson.dumps(response.as_json()) if media == JSON else response.as_protobuf()
        return Response(content, media_type=media)

    def _decode(self, opened: Opened, *, media: str) -> Receipt:
        flaws, body = Flaws(), opened.body
        if media == JSON and body:
            body = to_protobuf(body, self._signal.request(), flaws, opened.budget)
        return self._signal.export(body, flaws, opened.budget)


def _refusal(media: str, error: Refused, retry_after_s: int) -> Response:
    if retry_after_s:
        headers = {"Retry-After": str(retry_after_s)}
        return _failure(media, 503, _UNAVAILABLE, error.message, headers)
    code = _RESOURCE_EXHAUSTED if isinstance(error, TooLargeError) else _INVALID_ARGUMENT
    return _failure(media, error.status, code, error.message)


def _failure(
    media: str, status: int, code: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error as a ``google.rpc.Status`` in the request's encoding, else as text."""
    if media == JSON:
        content = orjson.dumps({"code": code, "message": message})
        return Response(content, status, headers, media_type=JSON)
    if media == PROTOBUF:
        body = Status(code=code, message=message).SerializeToString()
        return Response(body, status, headers, media_type=PROTOBUF)
    return PlainTextResponse(message, status, headers)
