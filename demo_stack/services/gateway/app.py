"""The front door: filters around what viewers can ask for."""

from __future__ import annotations

from collections.abc import Callable

from spectator.config import Config
from spectator.registry import Registry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.business.spending import EVERY_S, Spending
from demo_stack.chassis.browsers import open_to_browsers
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.instance_log import InstanceLog
from demo_stack.chassis.instrumented import service_app
from demo_stack.resilience.commands import Commands
from demo_stack.resilience.dashboard import dashboard_route
from demo_stack.resilience.shedding import Priority, Shedder
from demo_stack.services.gateway.chain import Endpoint, Filter, FilterChain
from demo_stack.services.gateway.endpoints import HEARTBEATS, Endpoints, no_route
from demo_stack.services.gateway.exchange import NO_ROUTE, Exchange
from demo_stack.services.gateway.inbound import (
    AdmitAtFrontDoor,
    Authenticate,
    LimitRate,
    MarkFailureTest,
    ShedLoad,
)
from demo_stack.services.gateway.origin import Origins
from demo_stack.services.gateway.outbound import ReportCategory
from demo_stack.services.gateway.stores import GatewayStores
from demo_stack.services.gateway.tokens import TokenVerifier
from demo_stack.services.gateway.tunnel import Forwarder, Tunnel
from demo_stack.world.accounts import ACCOUNTS
from demo_stack.world.layout import Service

TIMEOUTS_MS = {
    Service.AUTH.value: 3_000,
    Service.CATALOGUE.value: 3_000,
    Service.RECOMMENDATIONS.value: 1_500,
    Service.PLAYBACK.value: 3_000,
}
HOME_FIRST = frozenset({"/token", HEARTBEATS})
"""What depends on what only this region may know: codes, tokens, streams."""

COMFORTABLE_INFLIGHT = 100
MAX_INFLIGHT = 300


class Gateway:
    """Runs every request through the chain, or through the tunnel of an evacuated region.

    Args:
        chain: Filters of what is answered here.
        outer: Filters of what is passed on: who asks is checked at the other end.
        shedder: Counts what is in flight.
        tunnel: Knows which requests go through it.
        forwarder: Passes them on.
    """

    def __init__(
        self,
        chain: FilterChain,
        outer: FilterChain,
        shedder: Shedder,
        tunnel: Tunnel,
        forwarder: Forwarder,
    ) -> None:
        self._chain = chain
        self._outer = outer
        self._shedder = shedder
        self._tunnel = tunnel
        self._forwarder = forwarder

    def route(self, path: str, endpoint: Endpoint, method: str, priority: Priority) -> Route:
        """Return the route of one endpoint."""
        at_home = path in HOME_FIRST
        inner = self._forwarder.home_first(endpoint) if at_home else endpoint

        async def handle(request: Request) -> Response:
            exchange = Exchange(request=request, path=path, priority=priority)
            self._shedder.inflight += 1
            try:
                if self._tunnel.takes(exchange) and not at_home:
                    return await self._outer.run(exchange, self._forwarder.forward)
                return await self._chain.run(exchange, inner)
            finally:
                self._shedder.inflight -= 1

        return Route(path, handle, methods=[method])

    def unmatched(self, path: str, endpoint: Endpoint) -> list[Route]:
        """Return routes of whatever else is asked for: the least important of all requests."""
        return [
            self.route(path, endpoint, method, Priority.NON_CRITICAL) for method in ("GET", "POST")
        ]


def _circuits(log: InstanceLog) -> Callable[[str, bool], None]:
    """Return what says that a circuit has opened or closed."""

    def say(command: str, is_open: bool) -> None:
        if is_open:
            log.error("circuit {command} opened, answering by fallback", command=command)
        else:
            log.info("circuit {command} closed", command=command)

    return say


def build(context: ServiceContext, stores: GatewayStores) -> ASGIApp:
    """Return the application."""
    registry = Registry(
        Config(location=context.spectator, extra_common_tags=context.identity.attributes())
    )
    context.chores.at_end(registry.close)
    spending = Spending(
        context.telemetry.meter, stores.usage, stores.read_meters, subscribers=ACCOUNTS
    )
    context.chores.every(EVERY_S, spending.work)
    shedder = Shedder(target=COMFORTABLE_INFLIGHT, limit=MAX_INFLIGHT)
    door: list[Filter] = [AdmitAtFrontDoor(stores.front_door), ShedLoad(shedder)]
    report = ReportCategory(context.telemetry.meter)
    chain = FilterChain(
        inbound=[
            *door,
            Authenticate(TokenVerifier(context.client)),
            LimitRate(),
            MarkFailureTest(stores.fit_accounts, stores.fit_shares),
        ],
        outbound=[report],
    )
    commands = Commands(registry, TIMEOUTS_MS, say=_circuits(context.telemetry.log))
    origins = Origins(context.client, commands, context.telemetry.meter)
    endpoints = Endpoints(origins, context.seed)
    outer = FilterChain(inbound=door, outbound=[report])
    forwarder = Forwarder(stores.tunnel, context.client)
    gateway = Gateway(chain, outer, shedder, stores.tunnel, forwarder)
    routes = [
        gateway.route("/authorize", endpoints.sign_in, "POST", Priority.CRITICAL),
        gateway.route("/token", endpoints.sign_in, "POST", Priority.CRITICAL),
        gateway.route("/browse", endpoints.browse, "GET", Priority.DEGRADED),
        gateway.route("/titles/{title}", endpoints.select, "GET", Priority.DEGRADED),
        gateway.route("/playback", endpoints.play, "POST", Priority.CRITICAL),
        gateway.route(HEARTBEATS, endpoints.heartbeat, "POST", Priority.NON_CRITICAL),
        dashboard_route(commands),
        *gateway.unmatched(NO_ROUTE, no_route),
    ]
    return open_to_browsers(service_app([*routes], context))
