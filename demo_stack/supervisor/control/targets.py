"""The platform's instances, as Chaos Monkey meets them."""

from __future__ import annotations

from collections import Counter

from demo_stack.chaos.monkey_runner import Groups
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.performer import PlatformPerformer
from demo_stack.supervisor.deployment.running import RunningPlatform


class PlatformTargets:
    """Implements :class:`demo_stack.chaos.monkey_runner.Targets`.

    Args:
        platform: Whose instances.
        performer: Ends and starts them.
        changes: Where a termination is announced.
    """

    def __init__(
        self, platform: RunningPlatform, performer: PlatformPerformer, changes: ChangeLog
    ) -> None:
        self._platform = platform
        self._performer = performer
        self._changes = changes
        self._sizes: Counter[tuple[str, str]] = Counter()

    async def groups(self) -> Groups:
        """Return who runs in the regions that are up."""
        found: dict[tuple[str, str], list[str]] = {}
        for region in self._platform.others(""):
            for one in (await self._platform.tell_region(region, "instances"))["instances"]:
                found.setdefault((region, one["service"]), []).append(one["id"])
        return found

    def announce(self, region: str, service: str, instance: str) -> None:
        """Tell people that an instance is about to be terminated."""
        arguments = {"region": region, "service": service, "instance": instance}
        self._changes.announce("terminate", arguments)

    async def terminate(self, region: str, service: str, instance: str) -> None:
        """End an instance without a word."""
        group = (await self.groups())[region, service]
        self._sizes[region, service] = len(group)
        arguments = {"region": region, "service": service, "instance": instance}
        await self._performer.perform("crash_instance", arguments)

    async def replace(self, region: str, service: str) -> None:
        """Bring the group back to the size that it had, unless somebody else has done so."""
        instances = self._sizes[region, service]
        running = (await self.groups()).get((region, service), [])
        if len(running) < instances:
            arguments = {"region": region, "service": service}
            await self._performer.perform("start_instance", arguments)
