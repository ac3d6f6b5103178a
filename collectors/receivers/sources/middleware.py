"""Tells whose request it is, for every receiver that speaks HTTP."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from collectors.receivers.sources.ledger import SourceLedger


class Attributed:
    """An application whose POST requests are attributed to their senders.

    Args:
        app: What answers.
        ledger: Where senders are kept.
    """

    def __init__(self, app: ASGIApp, ledger: SourceLedger) -> None:
        self._app = app
        self._ledger = ledger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        agent = next((value for key, value in scope["headers"] if key == b"user-agent"), b"")
        with self._ledger.arriving(client[0] if client else "", agent.decode("latin-1")):
            await self._app(scope, receive, send)
