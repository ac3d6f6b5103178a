"""Filters around an endpoint, run as Zuul 2 runs them.

Inbound filters by order, then the endpoint, then outbound filters by order. When an inbound filter
or the endpoint raises, the rest of the inbound filters and the endpoint are skipped, the error
becomes the answer, and the outbound filters still run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.responses import JSONResponse, Response

from demo_stack.platform.errors import ServiceError
from demo_stack.services.gateway.exchange import Exchange, categorise

Endpoint = Callable[[Exchange], Awaitable[Response]]


class Filter(Protocol):
    """One step before or after the endpoint."""

    name: str
    order: int

    def applies(self, exchange: Exchange) -> bool:
        """Return whether this exchange concerns the filter."""
        ...

    async def apply(self, exchange: Exchange) -> None:
        """Look at the exchange, add to it, or raise a ``ServiceError`` to end it."""
        ...


class FilterChain:
    """The filters of a gateway.

    Args:
        inbound: Run before the endpoint.
        outbound: Run after it, come what may.
    """

    def __init__(self, inbound: Sequence[Filter], outbound: Sequence[Filter]) -> None:
        self._inbound = sorted(inbound, key=lambda one: one.order)
        self._outbound = sorted(outbound, key=lambda one: one.order)
        self.disabled: set[str] = set()

    async def run(self, exchange: Exchange, endpoint: Endpoint) -> Response:
        """Return the answer to an exchange."""
        try:
            await self._pass(self._inbound, exchange)
            exchange.response = await endpoint(exchange)
        except ServiceError as error:
            exchange.error = error
            exchange.category = categorise(error)
            exchange.response = JSONResponse({"error": str(error)}, status_code=error.status)
        await self._pass(self._outbound, exchange)
        return exchange.response

    async def _pass(self, filters: Sequence[Filter], exchange: Exchange) -> None:
        for one in filters:
            if one.name not in self.disabled and one.applies(exchange):
                exchange.passport.append(one.name)
                await one.apply(exchange)
