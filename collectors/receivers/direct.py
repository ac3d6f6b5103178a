"""Receivers that are called without the web framework's layers.

A remote-write body of 10,000 samples is decoded and stored in about a millisecond; routing, request
objects and the layers that turn exceptions into answers took as long again, under the same
interpreter lock. A route whose endpoint is itself an ASGI application needs none of them: such an
endpoint checks the method and answers its own errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from collectors.errors import DecodeError, TooLargeError
from collectors.receivers.gate import Place
from collectors.receivers.limits import ReceiverLimits


class Direct:
    """An application that calls some endpoints itself and leaves everything else to another.

    Args:
        app: What answers all other paths.
        routes: Those among them whose endpoint is an ASGI application are called directly.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._direct = {
            route.path: route.app
            for route in routes
            if isinstance(route, Route) and route.app is route.endpoint
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._direct.get(scope["path"]) if scope["type"] == "http" else None
        await (app or self._app)(scope, receive, send)


def header(scope: Scope, name: bytes) -> str:
    """Return the first header of that lower-case name, empty when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


async def receive_body(receive: Receive, limits: ReceiverLimits, place: Place) -> bytes:
    """Return a request's body as sent, within the limits on size and time.

    Raises:
        TooLargeError: It is larger than ``max_body_bytes``.
        DecodeError: It did not arrive within ``body_timeout_s``.
        OverloadedError: All requests together hold too many bytes.
        ClientDisconnect: The client went away.
    """
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            body, more = await _piece(receive, place, limits.max_body_bytes)
            if more:
                pieces = bytearray(body)
                while more:
                    piece, more = await _piece(receive, place, limits.max_body_bytes - len(pieces))
                    pieces += piece
                body = bytes(pieces)
    except TimeoutError as error:
        raise DecodeError(f"the body did not arrive within {limits.body_timeout_s:g} s") from error
    return body


async def _piece(receive: Receive, place: Place, room: int) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether there are more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    piece: bytes = message.get("body", b"")
    if len(piece) > room:
        raise TooLargeError("the body is larger than max_body_bytes; send smaller batches")
    place.hold(len(piece))
    return piece, bool(message.get("more_body"))
