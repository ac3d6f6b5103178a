"""``GET /api/v2/sources``: who sends what, how often, what was kept and what refused, and why."""

from __future__ import annotations

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.clock import Clock
from collectors.receivers.sources.ledger import WINDOW_MS, Source, SourceLedger


def source_routes(ledger: SourceLedger, clock: Clock) -> list[Route]:
    """Return the route that tells of the senders in ``ledger``."""

    def told() -> bytes:
        body = {
            "now_ms": clock.now_ms(),
            "window_ms": WINDOW_MS,
            "forgotten": ledger.forgotten,
            "sources": [_row(source) for source in ledger.sources()],
        }
        return orjson.dumps(body)

    async def sources(request: Request) -> Response:
        del request
        content = await anyio.to_thread.run_sync(told)
        return Response(content, media_type="application/json")

    return [Route("/api/v2/sources", sources, methods=["GET"])]


def _row(source: Source) -> dict[str, object]:
    key = source.key
    return {
        "receiver": key.receiver,
        "name": key.name,
        "instance": key.instance,
        "peer": key.peer,
        "agent": source.agent,
        "services": source.services,
        "first_ms": source.first_ms,
        "last_ms": source.last_ms,
        "interval_ms": source.interval_ms,
        "overdue": source.overdue,
        "requests": source.requests,
        "accepted": source.accepted,
        "refused": [
            {"reason": one.reason, "count": one.count, "detail": one.detail}
            for one in source.refused
        ],
    }
