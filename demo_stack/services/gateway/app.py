"""The front door: filters around four endpoints."""

from __future__ import annotations

from spectator.config import Config
from spectator.registry import Registry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.layout import Service
from demo_stack.platform.browsers import open_to_browsers
from demo_stack.platform.context import ServiceContext
from demo_stack.platform.instrumented import service_app
from demo_stack.resilience.commands import Commands
from demo_stack.resilience.shedding import Priority, Shedder
from demo_stack.services.gateway.chain import Endpoint, FilterChain
from demo_stack.services.gateway.endpoints import HEARTBEATS, Endpoints
from demo_stack.services.gateway.exchange import Exchange
from demo_stack.services.gateway.inbound import (
    AdmitAtFrontDoor,
    Authenticate,
    LimitRate,
    MarkFailureTest,
    ShedLoad,
)
from demo_stack.services.gateway.origin import Origins
from demo_stack.services.gateway.outbound import ReportCategory
from demo_stack.services.gateway.tokens import TokenVerifier

TIMEOUTS_MS = {
    Service.AUTH.value: 3_000,
    Service.CATALOGUE.value: 3_000,
    Service.RECOMMENDATIONS.value: 1_500,
    Service.PLAYBACK.value: 3_000,
}
COMFORTABLE_INFLIGHT = 100
MOST_INFLIGHT = 300


class Gateway:
    """Runs every request through the chain."""

    def __init__(self, chain: FilterChain, shedder: Shedder) -> None:
        self._chain = chain
        self._shedder = shedder

    def route(self, path: str, endpoint: Endpoint, method: str, priority: Priority) -> Route:
        """Return the route of one endpoint."""

        async def handle(request: Request) -> Response:
            exchange = Exchange(request=request, path=path, priority=priority)
            self._shedder.inflight += 1
            try:
                return await self._chain.run(exchange, endpoint)
            finally:
                self._shedder.inflight -= 1

        return Route(path, handle, methods=[method])


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    registry = Registry(
        Config(location=context.spectator, extra_common_tags=context.identity.attributes())
    )
    shedder = Shedder(target=COMFORTABLE_INFLIGHT, most=MOST_INFLIGHT)
    chain = FilterChain(
        inbound=[
            AdmitAtFrontDoor(context.backing.front_door),
            ShedLoad(shedder),
            Authenticate(TokenVerifier(context.client)),
            LimitRate(),
            MarkFailureTest(context.backing.fit_accounts, context.backing.fit_shares),
        ],
        outbound=[ReportCategory(context.telemetry.meter)],
    )
    endpoints = Endpoints(Origins(context.client, Commands(registry, TIMEOUTS_MS)), context.seed)
    gateway = Gateway(chain, shedder)
    routes = [
        gateway.route("/authorize", endpoints.sign_in, "POST", Priority.CRITICAL),
        gateway.route("/token", endpoints.sign_in, "POST", Priority.CRITICAL),
        gateway.route("/browse", endpoints.browse, "GET", Priority.DEGRADED),
        gateway.route("/titles/{title}", endpoints.select, "GET", Priority.DEGRADED),
        gateway.route("/playback", endpoints.play, "POST", Priority.CRITICAL),
        gateway.route(HEARTBEATS, endpoints.heartbeat, "POST", Priority.NON_CRITICAL),
    ]
    return open_to_browsers(service_app([*routes], context))
