"""From the gateway of a region that is being evacuated to gateways of healthy ones.

DNS takes its time: until the last viewer has heard of it, requests still arrive at the old region.
Its gateways pass them on, and nothing behind them is needed any more. What only the old region can
know (a code that is not redeemed yet, a stream that began there) is tried at home first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import httpx2
from starlette.responses import Response

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.errors import DependencyError, ServiceError
from demo_stack.services.gateway.chain import Endpoint
from demo_stack.services.gateway.exchange import Exchange, StatusCategory
from demo_stack.world.layout import Service

MARK = "x-tunnelled"
"""A request that has come through one tunnel goes through no other."""

NOT_KNOWN_HERE = frozenset({400, 404})
DRAIN_S = 60.0
NEVER_ARRIVED = frozenset({"ConnectError", "ConnectTimeout"})
"""What can be tried again whatever it was about."""


class Tunnel:
    """Where the requests of a region go while it is evacuated.

    Args:
        rng: Chooses between the gateways at the other end.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(self, rng: Random, now_s: Callable[[], float] = time.monotonic) -> None:
        self.balancer = Balancer(rng, now_s)
        self._now_s = now_s
        self._open = False
        self._closed_s = -DRAIN_S

    def lead(self, gateways: Sequence[str]) -> None:
        """Lead to these gateways from now on; to none when the region serves itself."""
        if gateways:
            self.balancer.set(Service.GATEWAY, gateways)
        elif self._open:
            self._closed_s = self._now_s()
        self._open = bool(gateways)

    def takes(self, exchange: Exchange) -> bool:
        """Return whether a request goes through."""
        return self._open and MARK not in exchange.request.headers

    def takes_unknown(self, exchange: Exchange) -> bool:
        """Return whether what is not known at home may be known at the other end.

        Sessions that began through the tunnel go on for a while after it was closed.
        """
        recently = self._now_s() - self._closed_s < DRAIN_S
        return (self._open or recently) and MARK not in exchange.request.headers


class Forwarder:
    """Passes requests on through the tunnel.

    Args:
        tunnel: Where to.
        client: Of the gateway that passes on.
    """

    def __init__(self, tunnel: Tunnel, client: ServiceClient) -> None:
        self._tunnel = tunnel
        self._client = client.toward(tunnel.balancer)

    def home_first(self, endpoint: Endpoint) -> Endpoint:
        """Return ``endpoint``, with what it does not know passed on while the tunnel leads on."""

        async def answer(exchange: Exchange) -> Response:
            try:
                return await endpoint(exchange)
            except ServiceError as error:
                if error.status not in NOT_KNOWN_HERE or not self._tunnel.takes_unknown(exchange):
                    raise
            return await self.forward(exchange)

        return answer

    async def forward(self, exchange: Exchange) -> Response:
        """Return what the gateway at the other end answers.

        Raises:
            DependencyError: It answers with a status of 500 and above, or not at all.
        """
        request = exchange.request
        query = f"?{request.url.query}" if request.url.query else ""
        headers = {MARK: "1"}
        if known := request.headers.get("authorization"):
            headers["authorization"] = known
        answer = await self._reach(
            Call(
                service=Service.GATEWAY,
                method=request.method,
                route=exchange.path,
                path=request.url.path + query,
                json=await exchange.body() if request.method == "POST" else None,
                headers=headers,
            )
        )
        told = answer.headers.get("x-status-category", "")
        if told in set(StatusCategory):
            exchange.category = StatusCategory(told)
        kind = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, media_type=kind)

    async def _reach(self, call: Call) -> httpx2.Response:
        """Make a call; try another gateway when one is gone, as after the saviors shrank."""
        try:
            return await self._client.send(call)
        except DependencyError as error:
            if error.error_type not in NEVER_ARRIVED or not error.address:
                raise
            return await self._client.send(replace(call, avoid=frozenset({error.address})))
