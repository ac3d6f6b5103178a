"""Zipkin's API for reporters: ``POST /api/v2/spans``, JSON and protobuf.

Answers as Zipkin does: 202 without a body when all is kept. What is refused is told in the body,
with 202 if anything was kept and 400 if nothing was; 503 means try again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.errors import DecodeError, UnsupportedError
from collectors.limits import Limits
from collectors.model import Receipt, Rejection, Span, SpanWriter
from collectors.receivers.door import Door, Refused, media_type
from collectors.receivers.endpoint import Endpoint, Intake
from collectors.receivers.gate import Place
from collectors.receivers.json_body import read_json
from collectors.receivers.reply import partial_success
from collectors.receivers.sources.arrival import speaks_for
from collectors.receivers.span_turns import write_in_turns
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.lanes import Lanes
from collectors.receivers.work.opening import Opened
from collectors.receivers.work.refusals import Refusals
from collectors.receivers.zipkin.messages import message_class, spans_of
from collectors.receivers.zipkin.spans import Resource, read_span

RECEIVER = "zipkin"
JSON, PROTOBUF = "application/json", "application/x-protobuf"


def zipkin_routes(
    spans: SpanWriter,
    limits: Limits | None = None,
    stats: ReceiverStats | None = None,
    lanes: Lanes | None = None,
) -> list[Route]:
    """Return the route of the receiver.

    Args:
        spans: Where spans go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        lanes: Threads to decode in; own ones by default.
    """
    receiver = _Receiver(spans, limits or Limits(), stats or ReceiverStats(), lanes or Lanes())
    return [Route("/api/v2/spans", receiver.answer, methods=["POST"])]


class _Receiver:
    def __init__(
        self, spans: SpanWriter, limits: Limits, stats: ReceiverStats, lanes: Lanes
    ) -> None:
        self._spans = spans
        self._limits = limits
        self._stats = stats
        self._lanes = lanes
        self._door = Door(RECEIVER, limits, stats)

    async def answer(self, request: Request) -> Response:
        """Answer a reporter."""

        async def work(place: Place) -> Response:
            media = _media(media_type(request))
            message = message_class("Listed").DESCRIPTOR if media == PROTOBUF else None
            take = partial(self._take, media=media)
            return await self._lanes.decode(await self._door.sent(request, place, message), take)

        return await self._door.answer(work, _refusal)

    def _take(self, opened: Opened, *, media: str) -> Response:
        good: list[Span] = []
        refused = Refusals()
        for found in opened.budget.watch(self._read(opened.body, media)):
            if isinstance(found, Rejection):
                refused.append(found)
            elif len(good) < self._limits.max_spans_per_request:
                good.append(found)
            else:
                detail = f"more than {self._limits.max_spans_per_request} spans in one request"
                refused.append(Rejection(reason="batchTooLarge", detail=detail))
        for service in {span.service for span in good}:
            speaks_for(service)
        stored = write_in_turns(self._spans, good)
        receipt = Receipt(accepted=stored.accepted, rejected=[*refused, *stored.rejected])
        self._stats.take(RECEIVER, receipt)
        if not receipt.rejected:
            return Response(status_code=202)
        reasons = partial_success("", receipt).message
        return _told(202 if receipt.accepted else 400, reasons, refused=receipt.rejected_count)

    def _read(self, body: bytes, media: str) -> Iterator[Span | Rejection]:
        resources: dict[str, Resource] = {}
        for plain in spans_of(body) if media == PROTOBUF else _listed(body):
            if isinstance(plain, Rejection):
                yield plain
                continue
            try:
                yield read_span(plain, self._limits, resources)
            except DecodeError as error:
                yield Rejection(reason="invalidSpan", detail=error.message)


def _listed(body: bytes) -> list[object]:
    document, _ = read_json(body)
    if not isinstance(document, list):
        raise DecodeError(f"the body is a JSON list of spans, not {type(document).__name__}")
    return document


def _media(given: str) -> str:
    media = given or JSON
    if media not in (JSON, PROTOBUF):
        raise UnsupportedError(
            f"content type {media[:60]!r} is not spoken here; use {JSON} or {PROTOBUF}"
        )
    return media


def _refusal(error: Refused, retry_after_s: int) -> Response:
    return _told(error.status, error.message, retry_after_s)


def _told(status: int, message: str, retry_after_s: int = 0, refused: int = 0) -> Response:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
    content = {"rejected": refused, "message": message} if refused else {"message": message}
    return Response(orjson.dumps(content), status, headers, media_type=JSON)


def _routes(intake: Intake) -> list[Route]:
    return zipkin_routes(intake.spans, intake.limits, intake.stats, intake.lanes)


ENDPOINT = Endpoint(name=RECEIVER, routes=_routes, makes_series=False)
