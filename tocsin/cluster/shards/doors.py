"""What other nodes reach on the API's port: questions for slots, and shares to be kept."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from collectors.api.answers import status_of
from collectors.api.work.running import Asked, QueryBounds
from collectors.api.work.workers import Workers
from collectors.cluster.asking.local import shared
from collectors.cluster.asking.questions import Question, answered
from collectors.cluster.frames import Frame, packed, unpacked
from collectors.cluster.network.peers import ASK, DEADLINE_HEADER, KEEP, MAX_ANSWER_BYTES
from collectors.cluster.sharing.shares import plain_receipt, share_from
from collectors.errors import (
    DecodeError,
    ForbiddenError,
    OverloadedError,
    QueryError,
    TocsinError,
    TooCostlyError,
)
from collectors.limits import Limits
from collectors.receivers.body import receive, request_body
from collectors.receivers.gate import Gate
from collectors.store.metric_store import MetricStore
from collectors.store.series.slots import SLOTS
from tocsin.cluster.shards.opening import OWED, Shards

_MAX_QUESTION_BYTES = 16 << 20
_KEEPERS = 2
# What a share says besides its body.
_ENVELOPE_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class _Doors:
    shards: Shards
    store: MetricStore
    workers: Workers

    async def ask(self, request: Request) -> Response:
        """Answer a question for some slots."""
        try:
            self.admit(request)
            body = await request_body(request, _MAX_QUESTION_BYTES)
            question, slots = _question(body)
            if question.kind == OWED:
                # Asked all the time by all: no query, and nothing to be listed.
                owed = await anyio.to_thread.run_sync(self.shards.hints.pending)
                return _framed(packed(Frame(head=owed.get(str(question.arguments["node"]), 0))))
            if self.shards.behind:
                raise OverloadedError(
                    f"node {self.shards.membership.me} lacks what it missed", retry_after_s=1
                )
            asked = Asked(path=ASK, text=question.kind, timeout_s=_timeout_s(request))
            work = partial(_answer, self.store, question, slots)
            return _framed(await self.workers.run(work, asked))
        except TocsinError as error:
            return failure(error)

    def admit(self, request: Request) -> None:
        """Refuse who is no node of this cluster."""
        given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
        if not secrets.compare_digest(given, f"Bearer {self.shards.token}".encode()):
            raise ForbiddenError("this is for nodes of the cluster: cluster_token differs")


class _Keep:
    """Keeps shares, past the web framework: see :mod:`collectors.receivers.direct`."""

    def __init__(self, doors: _Doors, limits: Limits) -> None:
        self._doors = doors
        # A share is as large as what it is a part of, and says a little more.
        most = limits.max_body_bytes + _ENVELOPE_BYTES
        self._limits = replace(limits, max_body_bytes=most)
        self._gate = Gate(self._limits)
        self._pool = ThreadPoolExecutor(_KEEPERS, thread_name_prefix="cluster-keep")

    async def __call__(self, scope: Scope, receive_message: Receive, send: Send) -> None:
        """Answer one share."""
        reply = await self._reply(Request(scope, receive_message))
        await reply(scope, receive_message, send)

    async def _reply(self, request: Request) -> Response:
        try:
            self._doors.admit(request)
            with self._gate.enter() as place:
                body = await receive(request, self._limits, place)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._pool, self._keep, body)
        except TocsinError as error:
            return failure(error)

    def _keep(self, body: bytes) -> Response:
        receipt = self._doors.shards.keeper.keep(share_from(body))
        return Response(orjson.dumps(plain_receipt(receipt)), media_type="application/json")


def shard_routes(
    shards: Shards, store: MetricStore, limits: Limits, bounds: QueryBounds | None = None
) -> list[Route]:
    """Return what nodes of a cluster ask each other.

    Questions have threads and memory of their own, half of what people's queries have: two nodes
    whose threads all waited for each other would wait for ever.

    Args:
        shards: This node's part.
        store: Its own.
        limits: Bounds on shares.
        bounds: What people's queries may take.
    """
    bounds = bounds or QueryBounds()
    bounds = replace(bounds, memory_bytes=bounds.memory_bytes // 2)
    doors = _Doors(shards, store, Workers(bounds))
    ask: Callable[[Request], Awaitable[Response]] = doors.ask
    return [Route(ASK, ask, methods=["POST"]), Route(KEEP, _Keep(doors, limits))]


def _question(body: bytes) -> tuple[Question, list[int] | None]:
    try:
        kind, arguments, slots = unpacked(body).head
        wanted = None if slots is None else [int(slot) % SLOTS for slot in slots]
        return Question(kind=str(kind), arguments=dict(arguments)), wanted
    except (TypeError, ValueError) as error:
        raise DecodeError("no question") from error


def _answer(store: MetricStore, question: Question, slots: list[int] | None) -> bytes:
    data = packed(answered(shared(store, slots), question))
    if len(data) > MAX_ANSWER_BYTES:
        raise TooCostlyError(
            f"one node alone would answer {len(data):,} bytes, at most {MAX_ANSWER_BYTES:,} are "
            "sent; narrow the query, or ask for a larger step or a shorter range"
        )
    return data


def _timeout_s(request: Request) -> float:
    text = request.headers.get(DEADLINE_HEADER, "")
    return int(text) / 1_000 if text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _framed(data: bytes) -> Response:
    return Response(data, media_type="application/octet-stream")


def failure(error: TocsinError) -> Response:
    """Return an error as another node understands it."""
    told = {"kind": type(error).__name__, "message": error.message}
    if isinstance(error, QueryError):
        told["exception"] = error.kind
    return Response(orjson.dumps(told), status_of(error), media_type="application/json")
