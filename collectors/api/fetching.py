"""``/api/v2/fetch``: lines over a range as server-sent events, part of the range by part.

A client sees the first hour of a long range at once, and the server never holds all of it.
Expressions with a memory (rolling windows, smoothing) carry it from part to part; what looks at
the whole window at once, such as filters and ``:stat``, looks at one part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from collectors.api.answers import asked_of, error_body, error_message, error_response
from collectors.api.evaluating import parse_styles
from collectors.api.formats.identity import line_id
from collectors.api.formats.json_text import to_json
from collectors.api.formats.values import quoted
from collectors.api.graph import check_limits
from collectors.api.graph_request import (
    DEFAULT_END,
    DEFAULT_START,
    read_common_query,
    read_step,
    read_unstable,
    read_zones,
)
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.running import Asked
from collectors.api.work.workers import Workers
from collectors.budget import answered
from collectors.clock import Clock
from collectors.errors import OverloadedError, TocsinError
from collectors.missing import noting
from collectors.stacklang.evaluation.batch import EvaluatedExpression
from collectors.stacklang.evaluation.source import DatabaseSource
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.lines.scope import Scope
from collectors.stacklang.text.times import parse_times, whole_step

CHUNK_COLUMNS = 60
MAX_COLUMNS = 100_000
MAX_STREAMS = 32
HEARTBEAT_S = 10.0

Message = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """Expressions and the columns that are wanted of them."""

    styles: Sequence[StyleExpr]
    window: Window
    now_ms: int

    def parts(self) -> Iterator[Window]:
        """Return the window in parts of at most ``CHUNK_COLUMNS`` columns, in order of time."""
        step_ms = self.window.step_ms
        stride_ms = CHUNK_COLUMNS * step_ms
        for start_ms in range(self.window.start_ms, self.window.end_ms + 1, stride_ms):
            end_ms = min(start_ms + stride_ms - step_ms, self.window.end_ms)
            yield Window(start_ms=start_ms, end_ms=end_ms, step_ms=step_ms)


class FetchEndpoint:
    """Streams lines to a bounded number of clients.

    Args:
        database: Where lines come from.
        clock: What ``now`` means.
        workers: Threads to evaluate in.
        heartbeat_s: How often a waiting client hears that the stream is alive, seconds.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        workers: Workers,
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._workers = workers
        self._heartbeat_s = heartbeat_s
        self._streams = 0

    async def answer(self, request: Request) -> Response:
        """Answer with a stream of events, or with an error before it begins."""
        try:
            asked = asked_of(request)
            wanted = await self._workers.run(partial(self._read, request), asked)
            if self._streams >= MAX_STREAMS:
                raise OverloadedError(f"{MAX_STREAMS} streams are open; try again", retry_after_s=5)
        except TocsinError as error:
            return error_response(error)
        return StreamingResponse(
            self._events(wanted, asked),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    def _read(self, request: Request) -> FetchRequest:
        return read_fetch_request(
            Parameters.of(request), primary_ms=self._database.step_ms, now_ms=self._clock.now_ms()
        )

    async def _events(self, wanted: FetchRequest, asked: Asked) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            async for events in self._written(wanted, asked):
                yield events
        finally:
            self._streams -= 1

    async def _written(self, wanted: FetchRequest, asked: Asked) -> AsyncIterator[bytes]:
        memory: dict[Any, object] = {}
        for part in wanted.parts():
            evaluation = partial(self._evaluate, wanted, part, memory)
            work = asyncio.ensure_future(self._workers.run(evaluation, asked))
            try:
                while not (await asyncio.wait({work}, timeout=self._heartbeat_s))[0]:
                    yield _event({"type": "info", "message": "heartbeat"})
            finally:
                work.cancel()  # of no effect once it is done; the client went away if it is not
            failure = work.exception()
            if failure is not None:
                yield _event(error_body(_reason(failure)))
                break
            yield work.result()
        yield _event({"type": "close"})

    def _evaluate(self, wanted: FetchRequest, part: Window, memory: dict[Any, object]) -> bytes:
        """Return a part's events as they are sent: written here, the loop has other duties."""
        scope = Scope(
            window=part,
            source=DatabaseSource(self._database),
            first_ms=wanted.window.start_ms,
            now_ms=wanted.now_ms,
            memory=memory,
        )
        results = []
        with noting() as missing:
            for style in wanted.styles:
                lines = style.expr.evaluate(scope)
                results.append(EvaluatedExpression(style=style, lines=lines))
        check_limits(sum(len(result.lines) for result in results), part.steps)
        events = [_event({"type": "warn", "message": sentence}) for sentence in missing]
        events += [_event(m) for result in results for m in _line_messages(result, part)]
        return b"".join(events)


def _event(message: Message) -> bytes:
    return b"data: " + to_json(message) + b"\n\n"


def read_fetch_request(parameters: Parameters, *, primary_ms: int, now_ms: int) -> FetchRequest:
    """Read and check the parameters; the program is parsed here, too.

    Raises:
        QueryError: A parameter or the program can't be used.
    """
    zone = read_zones(parameters)[0]
    styles = parse_styles(
        parameters.required("q"),
        zone,
        unstable=read_unstable(parameters),
        common=read_common_query(parameters),
    )
    start_ms, end_ms = parse_times(
        parameters.text("s") or DEFAULT_START, parameters.text("e") or DEFAULT_END, now_ms, zone
    )
    step_ms = whole_step(primary_ms, read_step(parameters, primary_ms))
    first_ms, last_ms = start_ms // step_ms * step_ms, end_ms // step_ms * step_ms
    if first_ms == last_ms:
        first_ms -= step_ms
    window = Window(start_ms=first_ms + step_ms, end_ms=last_ms, step_ms=step_ms)
    if window.steps > MAX_COLUMNS:
        raise refuse(
            f"{window.steps} steps are asked for, at most {MAX_COLUMNS} are sent; "
            "take a larger step or a shorter range"
        )
    return FetchRequest(styles=styles, window=window, now_ms=now_ms)


def _line_messages(result: EvaluatedExpression, part: Window) -> Iterator[Message]:
    query = result.style.expr.render()
    keys = list(result.style.expr.final_grouping)
    for row, label in enumerate(result.legends):
        answered(2 * len(query) + len(label))
        tags = dict(result.tags_of(row))
        yield {
            "type": "timeseries",
            "id": line_id({**tags, "atlas.query": query}),
            "query": query,
            "groupByKeys": keys,
            "label": label,
            "tags": tags,
            "start": part.start_ms,
            "end": part.end_ms + part.step_ms,
            "step": part.step_ms,
            "data": {"type": "array", "values": quoted(result.lines.values[row])},
        }


def _reason(failure: BaseException) -> str:
    if isinstance(failure, TocsinError):
        return error_message(failure)
    log: Any = structlog.get_logger(__name__)
    log.error("fetch failed", exc_info=failure)
    return "InternalError: the stream could not go on; the server's log has the reason"
