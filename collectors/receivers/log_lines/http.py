"""``POST /api/v1/logs``: newline-delimited JSON, or plain text, a line a record.

Answers 200 and how many lines were kept and refused, with reasons; 400 if none was kept. 503 means
try again.
"""

from __future__ import annotations

from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.errors import DecodeError, UnsupportedError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, LogWriter
from collectors.model import Receipt, Rejection
from collectors.receivers.door import Door, Refused, media_type
from collectors.receivers.endpoint import Endpoint, Intake
from collectors.receivers.gate import Place
from collectors.receivers.json_body import read_json, whole_text
from collectors.receivers.log_lines.address import PATH
from collectors.receivers.log_lines.line import add_line
from collectors.receivers.log_turns import NotKept, write_logs_in_turns
from collectors.receivers.reply import partial_success
from collectors.receivers.sources.arrival import speaks_for
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.lanes import Lanes
from collectors.receivers.work.opening import Opened
from collectors.receivers.work.refusals import Refusals

RECEIVER = "logs.lines"
JSON, TEXT = "application/json", "text/plain"
_MEDIA = frozenset({"application/x-ndjson", "application/jsonl", "application/json-lines", JSON})


def log_line_routes(
    logs: LogWriter,
    limits: Limits | None = None,
    stats: ReceiverStats | None = None,
    lanes: Lanes | None = None,
) -> list[Route]:
    """Return the route of the receiver.

    Args:
        logs: Where lines go.
        limits: Bounds on what is accepted.
        stats: Where acceptances and refusals are counted.
        lanes: Threads to decode in; own ones by default.
    """
    receiver = _Receiver(logs, limits or Limits(), stats or ReceiverStats(), lanes or Lanes())
    return [Route(PATH, receiver.answer, methods=["POST"])]


class _Receiver:
    def __init__(self, logs: LogWriter, limits: Limits, stats: ReceiverStats, lanes: Lanes) -> None:
        self._logs = logs
        self._limits = limits
        self._stats = stats
        self._lanes = lanes
        self._door = Door(RECEIVER, limits, stats)

    async def answer(self, request: Request) -> Response:
        """Answer a sender."""

        async def work(place: Place) -> Response:
            plain = _media(media_type(request)) == TEXT
            service = request.query_params.get("service", "")
            take = partial(self._take, plain=plain, service=service)
            return await self._lanes.decode(await self._door.sent(request, place, None), take)

        return await self._door.answer(work, _refusal)

    def _take(self, opened: Opened, *, plain: bool, service: str) -> Response:
        columns, refused, warned = LogColumns(), Refusals(), Refusals()
        for number, line in enumerate(opened.budget.watch(opened.body.split(b"\n")), 1):
            if not line.strip():
                continue
            if len(columns) >= self._limits.max_logs_per_request:
                detail = f"more than {self._limits.max_logs_per_request} lines in one request"
                refused.append(Rejection(reason="batchTooLarge", detail=detail))
                continue
            try:
                self._line(line, columns, warned, plain=plain, service=service)
            except DecodeError as error:
                detail = f"line {number}: {error.message}"
                refused.append(Rejection(reason="invalidLine", detail=detail))
        batch = columns.batch()
        for origin in batch.origins:
            speaks_for(origin.service)
        stored = write_logs_in_turns(self._logs, batch)
        receipt = Receipt(
            accepted=stored.accepted,
            rejected=[*refused, *stored.rejected],
            warnings=[*warned, *stored.warnings],
        )
        self._stats.take(RECEIVER, receipt)
        content: dict[str, object] = {"accepted": receipt.accepted}
        if receipt.rejected or receipt.warnings:
            reasons = partial_success("", receipt).message
            content |= {"rejected": receipt.rejected_count, "message": reasons}
        status = 400 if receipt.rejected and not receipt.accepted else 200
        return Response(orjson.dumps(content), status, media_type=JSON)

    def _line(
        self, line: bytes, columns: LogColumns, warned: Refusals, *, plain: bool, service: str
    ) -> None:
        if plain:
            document: object = {"message": line.decode("utf-8", "replace").rstrip("\r")}
        else:
            document, lenient = read_json(line)
            if lenient:
                document = _whole(document)
        if add_line(document, columns, self._limits, service):
            detail = f"a text is cut after {self._limits.max_log_chars} characters"
            warned.append(Rejection(reason="bodyCut", detail=detail))


def _whole(value: object) -> object:
    """Return JSON without half surrogate pairs."""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {whole_text(key): _whole(item) for key, item in value.items()}
    return value


def _media(given: str) -> str:
    media = given or JSON
    if media != TEXT and media not in _MEDIA:
        raise UnsupportedError(
            f"content type {media[:60]!r} is not spoken here; use application/x-ndjson, a JSON"
            " object a line, or text/plain"
        )
    return media


def _refusal(error: Refused, retry_after_s: int) -> Response:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
    told = {"message": error.message}
    return Response(orjson.dumps(told), error.status, headers, media_type=JSON)


def _routes(intake: Intake) -> list[Route]:
    logs = intake.logs or NotKept()
    return log_line_routes(logs, intake.limits, intake.stats, intake.lanes)


ENDPOINT = Endpoint(name=RECEIVER, routes=_routes, makes_series=False)
