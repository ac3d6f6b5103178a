"""``POST /api/v2/changes`` and ``GET /api/v2/changes``: what was changed on purpose, and when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.answers import answering, error_response, json_response
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.workers import Workers
from collectors.changes.change import SERVICE, Change
from collectors.changes.reader import MAX_BODY_BYTES, Reading, read_changes
from collectors.clock import Clock
from collectors.errors import TocsinError
from collectors.receivers.body import request_body
from collectors.receivers.stats import ReceiverStats

RECEIVER = "changes"
MAX_LISTED = 1_000
_DAY_MS = 86_400_000


class ChangeKeeper(Protocol):
    """Something that keeps changes, such as :class:`collectors.changes.store.ChangeStore`."""

    def add(self, changes: Sequence[Change]) -> int:
        """Keep those that are new; return how many these were."""
        ...

    def between(self, start_ms: int, end_ms: int) -> list[Change]:
        """Return the changes between two times, oldest first."""
        ...


def change_routes(
    changes: ChangeKeeper, clock: Clock, stats: ReceiverStats, workers: Workers | None = None
) -> list[Route]:
    """Return the routes that announce and list changes.

    Args:
        changes: Where they are kept.
        clock: The present.
        stats: What was kept and refused is counted here.
        workers: Threads to work in; own ones if None.
    """
    workers = workers or Workers()

    async def announce(request: Request) -> Response:
        try:
            body = await request_body(request, MAX_BODY_BYTES)
            return await workers.run(partial(_kept, changes, body, clock.now_ms(), stats))
        except TocsinError as error:
            stats.refuse(RECEIVER, type(error).__name__)
            return error_response(error)

    return [
        Route("/api/v2/changes", announce, methods=["POST"]),
        Route(
            "/api/v2/changes",
            answering(partial(_listed, changes, clock), workers),
            methods=["GET"],
        ),
    ]


def _kept(changes: ChangeKeeper, body: bytes, now_ms: int, stats: ReceiverStats) -> Response:
    """Keep what can be kept: 200 for all, 202 for a part, 400 for nothing."""
    reading = read_changes(body, now_ms)
    new = changes.add(reading.changes)
    stats.accept(RECEIVER, new)
    stats.refuse_all(RECEIVER, reading.rejected)
    return json_response(_receipt(reading, new), status=_status(reading))


def _status(reading: Reading) -> int:
    if not reading.rejected:
        return 200
    return 202 if reading.changes else 400


def _receipt(reading: Reading, new: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "ids": [change.id for change in reading.changes],
        "accepted": new,
        "known": len(reading.changes) - new,
        "rejected": [{"reason": r.reason, "message": r.detail} for r in reading.rejected],
    }
    if reading.rejected and not reading.changes:
        return {"type": "error", "message": reading.rejected[0].detail, **answer}
    return answer


def _listed(changes: ChangeKeeper, clock: Clock, request: Request) -> Response:
    """Answer the changes of a time and perhaps a service; the newest when there are too many."""
    parameters = Parameters.of(request)
    end_ms = _moment(parameters, "end_ms", clock.now_ms())
    start_ms = _moment(parameters, "start_ms", max(0, end_ms - _DAY_MS))
    if start_ms > end_ms:
        raise refuse(f"start_ms, {start_ms}, is after end_ms, {end_ms}")
    service = parameters.text("service")
    found = [
        change
        for change in changes.between(start_ms, end_ms)
        if service is None or service in (change.service, change.scope.get(SERVICE))
    ]
    shown = found[-MAX_LISTED:]
    return json_response(
        {"changes": [change.to_json() for change in shown], "left_out": len(found) - len(shown)}
    )


def _moment(parameters: Parameters, name: str, default: int) -> int:
    text = parameters.text(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise refuse(f"'{name}' must be epoch milliseconds, not {text[:40]!r}")
    return int(text)
