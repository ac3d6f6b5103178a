"""How a body is received: whole, or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from collectors.errors import DecodeError, OverloadedError, TooLargeError
from collectors.limits import Limits
from collectors.receivers.body import receive
from collectors.receivers.gate import Gate


def read(pieces: Sequence[bytes | None], limits: Limits | None = None, held: int = 0) -> bytes:
    """Read a body that arrives in ``pieces``; None stands for a client that goes away."""
    limits = limits or Limits()
    waiting = list(pieces)

    async def message() -> Message:
        if not waiting:
            await asyncio.Event().wait()  # never comes
        piece = waiting.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": piece != pieces[-1]}

    async def run() -> bytes:
        with Gate(limits).enter() as place:
            place.hold(held)
            return await receive(Request({"type": "http"}, message), limits, place)

    return asyncio.run(run())


@pytest.mark.parametrize("pieces", [[b""], [b"abc"], [b"ab", b"c", b"de"], [b"", b"abc"]])
def test_a_body_is_read_whole(pieces: list[bytes]) -> None:
    """A body that comes in pieces would be cut."""
    assert read(pieces) == b"".join(pieces)


@pytest.mark.parametrize(
    ("pieces", "limits", "held", "error"),
    [
        ([b"abcd"], {"max_body_bytes": 3}, 0, TooLargeError),
        ([b"ab", b"cd"], {"max_body_bytes": 3}, 0, TooLargeError),
        ([b"ab", None, b""], {}, 0, ClientDisconnect),
        ([b"ab", b"cd"], {"max_in_flight_bytes": 5}, 2, OverloadedError),
    ],
    ids=["too-large", "too-large-together", "gone", "overloaded"],
)
def test_a_body_that_is_not_read(
    pieces: list[bytes | None], limits: dict[str, Any], held: int, error: type[Exception]
) -> None:
    """A stranger could take all of the memory, or a slow one never be told."""
    with pytest.raises(error):
        read(pieces, Limits(**limits), held)


def test_a_body_that_never_comes() -> None:
    """Connections that send nothing would be held for ever."""
    with pytest.raises(DecodeError, match="did not arrive within 0 s"):
        read([], Limits(body_timeout_s=0))
