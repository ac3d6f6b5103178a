"""Filters around an endpoint, run as Zuul 2 runs them.

Inbound filters by order, then the endpoint, then outbound filters by order. When an inbound filter
or the endpoint raises, whatever it is, the rest of the inbound filters and the endpoint are
skipped, the error becomes the answer, and the outbound filters still run. An outbound filter that
raises changes nothing for the others, nor for the answer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.gateway.exchange import Exchange, categorise

_log = logging.getLogger(__name__)

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
            for one in self._inbound:
                await self._step(one, exchange)
            exchange.stamp("endpoint")
            exchange.response = await endpoint(exchange)
        except Exception as error:  # noqa: BLE001 - any error is an answer; the log has the odd ones
            exchange.error = _as_answer(error)
            exchange.category = categorise(exchange.error)
            exchange.response = JSONResponse(
                {"error": str(exchange.error)}, status_code=exchange.error.status
            )
        for one in self._outbound:
            try:
                await self._step(one, exchange)
            except Exception:  # noqa: BLE001 - it is in the log, and the answer is not to blame
                _log.exception("outbound filter %s failed", one.name)
        return exchange.response

    async def _step(self, one: Filter, exchange: Exchange) -> None:
        if one.name in self.disabled or not one.applies(exchange):
            return
        exchange.stamp(one.name)
        try:
            await one.apply(exchange)
        except Exception:
            exchange.failed_in = exchange.failed_in or one.name
            raise


def _as_answer(error: Exception) -> ServiceError:
    """Return an error as what the caller is told of it."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, ClientDisconnect):
        return ServiceError("the caller hung up", status=499)
    _log.error("a filter or an endpoint failed", exc_info=error)
    return ServiceError("internal error", status=500, error_type=type(error).__name__)
