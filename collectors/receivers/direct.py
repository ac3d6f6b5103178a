"""Receivers that are called without the web framework's layers.

A remote-write body of 10,000 samples is decoded and stored in about a millisecond; routing and the
layers that turn exceptions into answers took half as long again, under the same interpreter lock.
A route whose endpoint is itself an ASGI application needs none of them: such an endpoint checks the
method and answers its own errors.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send


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
