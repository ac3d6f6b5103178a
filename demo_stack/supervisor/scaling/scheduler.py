"""The running platform as the autoscaler sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.supervisor.deployment.running import RunningPlatform


class PlatformScheduler:
    """Implements :class:`demo_stack.supervisor.scaling.autoscaler.Scheduler`.

    Args:
        platform: Whose instances.
        performer: Scales them, and lets it be announced.
    """

    def __init__(self, platform: RunningPlatform, performer: PlatformPerformer) -> None:
        self._platform = platform
        self._performer = performer

    async def load(self, region: str) -> Mapping[str, tuple[int, int]]:
        """Return instances and requests since they started, by service."""
        found = await self._platform.tell_region(region, "load")
        running: Counter[str] = Counter()
        requests: Counter[str] = Counter()
        for one in found["instances"].values():
            running[one["service"]] += 1
            requests[one["service"]] += one["requests"]
        return {service: (count, requests[service]) for service, count in running.items()}

    async def scale(self, region: str, service: str, instances: int) -> None:
        """Start or stop instances until there are so many."""
        wanted = {"region": region, "service": service, "instances": instances}
        await self._performer.perform("scale", wanted)
