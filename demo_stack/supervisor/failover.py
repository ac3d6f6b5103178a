"""Moving a region's viewers elsewhere and back (Chaos Kong).

In the order that Netflix describes: first the saviors scale up, then traffic is steered to them;
on return the viewers go home first, and only then do the saviors shrink.
"""

from __future__ import annotations

from demo_stack.layout import Service
from demo_stack.platform.errors import PlatformError
from demo_stack.supervisor.platform import Platform

SCALED = (Service.GATEWAY, Service.PLAYBACK, Service.RECOMMENDATIONS)
"""What the saviors get one more of."""

DOOR_SCALE = 2.0


class Failover:
    """Evacuates regions.

    Args:
        platform: Whose regions.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._added: dict[str, list[tuple[str, str]]] = {}

    async def evacuate(self, region: str) -> None:
        """Scale up every other region, then send the viewers of ``region`` there.

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
        await self._platform.steer(region, saviors)

    async def take_back(self, region: str) -> None:
        """Send the viewers home, then shrink the saviors; starts the region if it is dead."""
        await self._platform.start_region(region)
        await self._platform.steer(region, [region])
        added = self._added.pop(region, [])
        ending = frozenset(instance for _, instance in added)
        saviors = list(dict.fromkeys(savior for savior, _ in added))
        await self._platform.refresh_addresses(saviors, without=ending)
        for savior, instance in added:
            await self._platform.tell_region(savior, "end_instance", instance=instance)
        for savior in saviors:
            await self._platform.tell_region(savior, "front_door", scale=1.0)
