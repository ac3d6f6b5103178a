"""Moving a region's viewers elsewhere and back (Chaos Kong).

In the order that Netflix describes: first the saviors scale up, then the gateways of the region
that is left pass requests on to them, and then DNS is changed, which takes its time to be heard.
On return the region serves itself again, the viewers go home, and only then do the saviors shrink.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from demo_stack.chassis.errors import PlatformError
from demo_stack.supervisor.deployment.running import RunningPlatform
from demo_stack.world.layout import Service

SCALED = (Service.GATEWAY, Service.PLAYBACK, Service.RECOMMENDATIONS)
"""What the saviors get one more of."""

DOOR_SCALE = 2.0
DNS_TTL_S = 5.0
PATIENCE_S = 3.0
"""How long a region that is left may take to begin to pass requests on."""


class Failover:
    """Evacuates regions.

    Args:
        platform: Whose regions.
        dns_ttl_s: How long resolvers remember what DNS answered, in seconds.
    """

    def __init__(self, platform: RunningPlatform, dns_ttl_s: float = DNS_TTL_S) -> None:
        self._platform = platform
        self._dns_ttl_s = dns_ttl_s
        self._added: dict[str, list[tuple[str, str]]] = {}

    async def evacuate(self, region: str) -> None:
        """Scale up every other region, pass requests on to them, then send the viewers there.

        Raises:
            PlatformError: There is no other region up, or it is evacuated already.
        """
        saviors = self._platform.others(region)
        if not saviors or region in self._added:
            raise PlatformError(f"can't evacuate {region!r}: done already, or nowhere to go")
        self._added[region] = []
        for savior in saviors:
            await self._platform.tell_region(savior, "front_door", scale=DOOR_SCALE)
            for service in SCALED:
                started = await self._platform.tell_region(
                    savior, "start_instance", service=service.value
                )
                self._added[region].append((savior, started["id"]))
        await self._platform.refresh_addresses(saviors)
        # To one of them: codes and tokens in use are known in one region only.
        passing_on = await self._tunnel(region, await self._gateways(saviors[0]))
        # Nobody waits for DNS at a region that can't even pass requests on.
        await self._platform.steer(region, saviors, self._dns_ttl_s if passing_on else 0.0)

    async def take_back(self, region: str) -> None:
        """Send the viewers home, then shrink the saviors; starts the region if it is dead."""
        await self._platform.start_region(region)
        await self._tunnel(region, [])
        await self._platform.steer(region, [region], self._dns_ttl_s)
        added = self._added.pop(region, [])
        ending = frozenset(instance for _, instance in added)
        saviors = list(dict.fromkeys(savior for savior, _ in added))
        await self._platform.refresh_addresses(saviors, without=ending)
        for savior, instance in added:
            await self._platform.tell_region(savior, "end_instance", instance=instance)
        for savior in saviors:
            await self._platform.tell_region(savior, "front_door", scale=1.0)

    async def _gateways(self, region: str) -> list[str]:
        found = await self._platform.tell_region(region, "instances", service=Service.GATEWAY.value)
        return [instance["url"] for instance in found["instances"]]

    async def _tunnel(self, region: str, gateways: Sequence[str]) -> bool:
        """Let a region pass requests on; return whether it can: a dead or hung one can't."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._platform.tell_region(region, "tunnel", to=list(gateways))
        except (PlatformError, TimeoutError):
            return False
        return True
