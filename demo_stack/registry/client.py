"""The registry from an instance's and from a caller's side."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx2

from demo_stack.chassis.balancing import Balancer
from demo_stack.registry.documents import describe
from demo_stack.registry.leases import Instance

TIMEOUT = {"timeout": {"connect": 1.0, "read": 2.0}}


class RegistryClient:
    """Holds leases for the instances of a region, and keeps a balancer's copy fresh.

    Args:
        url: The registry's base URL.
        transport: Reaches it.
        balancer: Where fetched addresses go.
        renewal_s: Time between two renewals.
        refresh_s: Time between two fetches: what a caller knows is up to this old.
    """

    def __init__(
        self,
        url: str,
        transport: httpx2.AsyncBaseTransport,
        balancer: Balancer,
        *,
        renewal_s: float = 3.0,
        refresh_s: float = 2.0,
    ) -> None:
        self._url = url
        self._transport = transport
        self._balancer = balancer
        self._renewal_s = renewal_s
        self._refresh_s = refresh_s
        self._held: dict[str, Instance] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.frozen = False

    def open(self) -> None:
        """Begin to renew and to refresh."""
        self._tasks = [
            asyncio.create_task(self._every(self._renewal_s, self.renew)),
            asyncio.create_task(self._every(self._refresh_s, self.refresh)),
        ]

    async def close(self) -> None:
        """Stop renewing and refreshing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def register(self, instance: Instance) -> None:
        """Begin a lease and hold it."""
        self._held[instance.id] = instance
        await self._ask("POST", f"/{instance.service}", {"instance": describe(instance)})

    async def cancel(self, instance_id: str) -> None:
        """End a lease, as an instance does that shuts down in order."""
        instance = self._held.pop(instance_id)
        await self._ask("DELETE", f"/{instance.service}/{instance_id}")

    def abandon(self, instance_id: str) -> None:
        """Stop renewing a lease without a word, as an instance does that dies."""
        self._held.pop(instance_id, None)

    async def renew(self) -> None:
        """Renew every lease held; register again where the registry has forgotten us."""
        for instance in list(self._held.values()):
            answer = await self._ask("PUT", f"/{instance.service}/{instance.id}")
            if answer is not None and answer.status_code == 404:
                await self.register(instance)

    async def refresh(self) -> None:
        """Fetch who is there, unless frozen; an unreachable registry leaves the old copy."""
        answer = None if self.frozen else await self._ask("GET", "")
        if answer is None or answer.is_error:
            return
        for application in answer.json()["applications"]["application"]:
            up = [one["homePageUrl"] for one in application["instance"] if one["status"] == "UP"]
            self._balancer.set(application["name"].lower(), up)

    async def _ask(self, method: str, path: str, body: Any = None) -> httpx2.Response | None:
        request = httpx2.Request(
            method,
            f"{self._url}/eureka/apps{path}",
            json=body,
            headers={"accept": "application/json"},
            extensions=TIMEOUT,
        )
        with contextlib.suppress(httpx2.TransportError):
            answer = await self._transport.handle_async_request(request)
            await answer.aread()
            return answer
        return None

    async def _every(self, seconds: float, action: Any) -> None:
        while True:
            await asyncio.sleep(seconds)
            await action()
