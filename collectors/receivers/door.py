"""How a body comes in over HTTP, whatever it holds: its place, its bytes, its turn, its refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collectors.errors import InputError, OverloadedError, StorageError
from collectors.limits import Limits
from collectors.receivers.body import decompress, receive
from collectors.receivers.gate import Gate, Place
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.opening import Sent

Refused = InputError | OverloadedError | StorageError

Refusal = Callable[[Refused, int], Response]
"""Says no in a protocol's own form: why, and after how many seconds to come again; 0: never."""


class Door:
    """Lets the bodies of one receiver in, and counts those that are refused.

    Args:
        receiver: Under which name they are counted.
        limits: Bounds on what is accepted.
        stats: Where refusals are counted.
    """

    def __init__(self, receiver: str, limits: Limits, stats: ReceiverStats) -> None:
        self._receiver = receiver
        self._limits = limits
        self._stats = stats
        self._gate = Gate(limits)

    async def answer(
        self, work: Callable[[Place], Awaitable[Response]], refusal: Refusal
    ) -> Response:
        """Return what ``work`` answers, or why it can't be done."""
        try:
            with self._gate.enter() as place:
                return await work(place)
        except InputError as error:
            return self._refused(type(error).__name__, error, 0, refusal)
        except OverloadedError as error:
            return self._refused("overloaded", error, error.retry_after_s, refusal)
        except StorageError as error:
            return self._refused("storage", error, self._limits.retry_after_s, refusal)
        except ClientDisconnect:
            return Response(status_code=400)

    async def body(self, request: Request, place: Place) -> bytes:
        """Return a request's body as it was sent."""
        return await receive(request, self._limits, place)

    async def sent(self, request: Request, place: Place, message: Any) -> Sent:
        """Return a request's body as it came, to be decoded.

        Args:
            request: Whose it is.
            place: What its bytes hold.
            message: The descriptor of its protobuf message; None: it is JSON.
        """
        return Sent(
            raw=await self.body(request, place),
            encoding=request.headers.get("content-encoding", ""),
            message=message,
            limits=self._limits,
            place=place,
            unpack=decompress,
        )

    def _refused(self, reason: str, error: Refused, after_s: int, refusal: Refusal) -> Response:
        self._stats.refuse(self._receiver, reason, detail=error.message)
        return refusal(error, after_s)


def media_type(request: Request) -> str:
    """Return the content type of a request's body without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
