"""Prometheus remote write: ``POST /api/v1/write``, protocol 1.0 and 2.0.

Answers 204 when everything is kept. If some samples are refused the rest is kept and the answer is
400 with the reasons, which tells a sender not to repeat the request. 2.0 answers carry the
``X-Prometheus-Remote-Write-*-Written`` headers. Source: prometheus ``docs/specs/prw``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.message import Message as MediaType
from functools import lru_cache, partial

import cramjam
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from collectors.errors import (
    DecodeError,
    TocsinError,
    TooLargeError,
    UnsupportedError,
)
from collectors.limits import Limits
from collectors.model import MetricWriter, Receipt, Rejection
from collectors.receivers.door import Door, Refused
from collectors.receivers.endpoint import Endpoint, Intake
from collectors.receivers.gate import Place
from collectors.receivers.prometheus.remote_write_decoder import Decoded, RemoteWriteDecoder
from collectors.receivers.reply import partial_success
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.turns import Turns
from collectors.remote_bodies import RemoteBodyWriter, RemoteExtras, RemoteReceipt

RECEIVER = "prometheus.remote_write"
V1 = "prometheus.WriteRequest"
V2 = "io.prometheus.write.v2.Request"
# What is worked on beside others.
_SMALL_BYTES = 2 << 20
_WRITTEN = "X-Prometheus-Remote-Write-{}-Written"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What became of a request."""

    samples: int = 0
    histograms: int = 0
    exemplars: int = 0
    rejected: Sequence[Rejection] = ()


_NOTHING = _Written()


def remote_write_routes(
    metrics: MetricWriter,
    limits: Limits | None = None,
    stats: ReceiverStats | None = None,
    bodies: RemoteBodyWriter | None = None,
    waiting: int = 0,
) -> list[Route]:
    """Return the route of the receiver.

    Args:
        metrics: Where samples go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        bodies: The store behind ``metrics``, if it takes whole bodies. ``metrics`` then gets only
            the native histograms and exemplars that the store left.
        waiting: How many bodies may wait at once for other nodes to keep their shares.
    """
    limits, stats = limits or Limits(), stats or ReceiverStats()
    writer = _RemoteWriter(metrics, bodies, limits, stats, waiting)
    return [Route("/api/v1/write", writer)]


class _RemoteWriter:
    def __init__(
        self,
        metrics: MetricWriter,
        bodies: RemoteBodyWriter | None,
        limits: Limits,
        stats: ReceiverStats,
        waiting: int,
    ) -> None:
        self._metrics = metrics
        self._bodies = bodies
        self._limits = limits
        self._stats = stats
        self._door = Door(RECEIVER, limits, stats)
        # The store applies one body at a time. More workers than that take turns at its lock and at
        # the interpreter's, which costs more than decoding side by side gains. They have a queue of
        # their own, so that the next body begins before the last one's answer is on its way.
        self._workers = ThreadPoolExecutor(
            waiting or max(1, (os.cpu_count() or 2) // 2), thread_name_prefix="remote-write"
        )
        # What takes longer waits for its like.
        self._large = ThreadPoolExecutor(1, thread_name_prefix="remote-write-large")
        self._decoder = RemoteWriteDecoder(limits, bodies.metric_kinds if bodies else None)
        self._turn = Turns()

    async def __call__(self, scope: Scope, receive_message: Receive, send: Send) -> None:
        """Answer a write request; see :mod:`collectors.receivers.direct`."""
        if scope["method"] == "POST":
            reply = await self._reply(Request(scope, receive_message))
        else:
            reply = PlainTextResponse("use POST\n", 405, {"Allow": "POST"})
        await reply(scope, receive_message, send)

    async def _reply(self, request: Request) -> Response:
        protocol = ""

        async def work(place: Place) -> Response:
            nonlocal protocol
            protocol = protocol_of(request.headers.get("content-type", ""))
            _check_encoding(request.headers.get("content-encoding", ""))
            body = await self._door.body(request, place)
            return self._told(protocol, await self._written(protocol, body))

        def refusal(error: Refused, retry_after_s: int) -> Response:
            headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
            return _answer(protocol, error.status, error.message, headers=headers)

        return await self._door.answer(work, refusal)

    def _told(self, protocol: str, written: _Written) -> Response:
        self._stats.accept(RECEIVER, written.samples + written.histograms)
        if not written.rejected:
            return _answer(protocol, 204, "", written)
        self._stats.refuse_all(RECEIVER, written.rejected)
        reasons = partial_success("", Receipt(accepted=0, rejected=written.rejected)).message
        return _answer(protocol, 400, reasons, written)

    async def _written(self, protocol: str, body: bytes) -> _Written:
        loop = asyncio.get_running_loop()
        write = self._write_v2 if protocol == V2 else self._write_v1
        workers = self._workers if announced_size(body) <= _SMALL_BYTES else self._large
        written, extras = await loop.run_in_executor(workers, write, body)
        if extras is None:
            return written
        more = await loop.run_in_executor(self._large, self._extras, extras)
        return replace(more, samples=written.samples, rejected=[*written.rejected, *more.rejected])

    def _write_v1(self, body: bytes) -> tuple[_Written, RemoteExtras | None]:
        if self._bodies is None:
            return self._decode(partial(self._decoder.decode_v1, self._unsnap(body))), None
        return self._with_extras(self._bodies.write_remote(body))

    def _write_v2(self, body: bytes) -> tuple[_Written, RemoteExtras | None]:
        if self._bodies is None:
            return self._decode(partial(self._decoder.decode_v2, self._unsnap(body))), None
        return self._with_extras(self._bodies.write_remote_v2(body))

    def _with_extras(self, receipt: RemoteReceipt) -> tuple[_Written, RemoteExtras | None]:
        """See to what the store left, having taken the samples; return it if it is much."""
        written = _Written(samples=receipt.accepted, rejected=receipt.rejected)
        if not receipt.extras.series:
            return written, None
        if sum(map(len, receipt.extras.series)) > _SMALL_BYTES:
            return written, receipt.extras
        more = self._extras(receipt.extras)
        rejected = [*written.rejected, *more.rejected]
        return replace(more, samples=written.samples, rejected=rejected), None

    def _extras(self, extras: RemoteExtras) -> _Written:
        return self._decode(partial(self._decoder.decode_extras, extras))

    def _unsnap(self, body: bytes) -> bytes:
        return unsnap(body, self._limits.max_body_bytes)

    def _decode(self, decode: Callable[[], Decoded]) -> _Written:
        """Decode and store; what the decoder learns counts only when it is stored."""
        with self._turn:
            decoded = decode()
            try:
                written = self._store(decoded)
            except TocsinError:
                self._decoder.roll_back()
                raise
            self._decoder.commit()
        return written

    def _store(self, decoded: Decoded) -> _Written:
        rejected = [*decoded.samples.rejections, *decoded.histograms.rejections]
        samples = histograms = exemplars = 0
        if not decoded.samples.empty:
            batch = decoded.samples.build()
            stored = self._metrics.write(batch)
            samples = max(0, stored.accepted - decoded.samples.invented)
            exemplars = len(batch.exemplars)
            rejected += stored.rejected
        if not decoded.histograms.empty:
            stored = self._metrics.write(decoded.histograms.build())
            # The store counts samples; a sender is told of at most as many as it sent.
            histograms = max(0, decoded.histogram_count - stored.rejected_count)
            rejected += stored.rejected
        return _Written(
            samples=samples, histograms=histograms, exemplars=exemplars, rejected=rejected
        )


def unsnap(body: bytes, limit: int) -> bytes:
    """Decompress a snappy block that says itself how large it becomes.

    Raises:
        TooLargeError: It would exceed ``limit`` bytes.
        DecodeError: It is not a snappy block.
    """
    size = announced_size(body)
    if size > limit:
        raise TooLargeError(f"the body has {size} bytes after decompression, at most {limit}")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise DecodeError(f"the body is not a snappy block: {error}") from error


def announced_size(body: bytes) -> int:
    """Return the size that a snappy block says it becomes.

    Raises:
        DecodeError: It does not begin with one.
    """
    size = 0
    for i, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return size
    raise DecodeError(f"the body of {len(body)} bytes is not a snappy block")


@lru_cache(64)
def protocol_of(content_type: str) -> str:
    """Return which message a content type announces; raise :class:`UnsupportedError` if none.

    >>> protocol_of("application/x-protobuf")
    'prometheus.WriteRequest'
    """
    header = MediaType()
    header["content-type"] = content_type
    protocol = header.get_param("proto", V1)
    if header.get_content_type() != "application/x-protobuf" or protocol not in (V1, V2):
        raise UnsupportedError(
            f"content type {content_type[:80]!r} is not spoken here; use application/x-protobuf,"
            f" with proto={V1} or proto={V2}"
        )
    return str(protocol)


def _check_encoding(encoding: str) -> None:
    if encoding.lower() not in ("", "snappy"):
        raise UnsupportedError(f"content encoding {encoding[:40]!r} is not spoken here; use snappy")


def _answer(
    protocol: str,
    status: int,
    message: str,
    written: _Written = _NOTHING,
    headers: dict[str, str] | None = None,
) -> Response:
    headers = dict(headers or {})
    if protocol == V2:
        counts = {
            "Samples": written.samples,
            "Histograms": written.histograms,
            "Exemplars": written.exemplars,
        }
        headers |= {_WRITTEN.format(what): str(count) for what, count in counts.items()}
    if status == 204:
        return Response(status_code=204, headers=headers)
    return PlainTextResponse(message + "\n", status, headers)


def _routes(intake: Intake) -> list[Route]:
    return remote_write_routes(
        intake.metrics, intake.limits, intake.stats, intake.bodies, intake.waiting
    )


ENDPOINT = Endpoint(name=RECEIVER, routes=_routes)
