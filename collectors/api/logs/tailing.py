"""``GET /api/v1/logs/tail``: lines as they come, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from collectors.api.answers import error_response
from collectors.api.formats.json_text import to_json
from collectors.api.logs.answering import line_content
from collectors.api.logs.reading import read_log_search
from collectors.api.parameters import Parameters, refuse
from collectors.errors import TocsinError
from collectors.logs.search import LogSearch
from collectors.logs.tail import Follower, Tail

HEARTBEAT_S = 10.0
_GATHER_S = 0.1


class TailEndpoint:
    """Streams lines to a bounded number of clients.

    Args:
        tail: Where lines come from.
        heartbeat_s: How often a waiting client hears that the stream is alive, seconds.
    """

    def __init__(self, tail: Tail, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._tail = tail
        self._heartbeat_s = heartbeat_s

    async def answer(self, request: Request) -> Response:
        """Answer with a stream of events, or with an error before it begins."""
        try:
            wanted = read_log_search(Parameters.of(request))
            if wanted.pattern:
                raise refuse("lines are not followed by 'pattern'; follow by their words")
            self._tail.check_room()
        except TocsinError as error:
            return error_response(error)
        return StreamingResponse(
            self._events(wanted),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _events(self, wanted: LogSearch) -> AsyncIterator[bytes]:
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended, and with it who followed
                loop.call_soon_threadsafe(woken.set)

        try:
            follower = self._tail.follow(wanted, wake)
        except TocsinError as error:
            yield _event("evicted", {"missed": 0, "message": error.message})
            return
        try:
            yield _event("open", {})
            told_at = loop.time()
            while not follower.gone:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(told_at + self._heartbeat_s):
                        await woken.wait()
                woken.clear()
                told = await asyncio.to_thread(_told, follower)
                # Lines that do not match are no sign of life.
                if told or loop.time() >= told_at + self._heartbeat_s:
                    yield told or _event("heartbeat", {})
                    told_at = loop.time()
                # What comes in a burst is told in one piece.
                await asyncio.sleep(_GATHER_S)
            reason = "lines came faster than they were read; search for what is missing"
            yield _event("evicted", {"missed": follower.missed, "message": reason})
        finally:
            self._tail.leave(follower)


def _told(follower: Follower) -> bytes:
    """Return the lines that wait as events; thousands take long, so not in the loop of all."""
    return b"".join(_event("line", line_content(line)) for line in follower.lines())


def _event(kind: str, content: object) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + to_json(content) + b"\n\n"
