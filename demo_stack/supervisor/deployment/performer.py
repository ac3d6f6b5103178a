"""Experiments' actions, done to the running platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import signature
from typing import Any

from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.supervisor.deployment.changes import ChangeLog
from demo_stack.supervisor.deployment.deployments import Deployments
from demo_stack.supervisor.deployment.failover import Failover
from demo_stack.supervisor.deployment.running import RunningPlatform

Do = Callable[..., Awaitable[Any]]


class PlatformPerformer:
    """Does the actions that :mod:`demo_stack.chaos.actions` names.

    Args:
        platform: To whom.
        changes: Where operators' changes are announced.
    """

    def __init__(self, platform: RunningPlatform, changes: ChangeLog) -> None:
        self._platform = platform
        self._changes = changes
        failover = Failover(platform)
        self.deployments = Deployments(platform, self.perform, changes)
        self._actions: dict[str, Do] = {
            "disturb": self._disturb,
            "calm": self._calm,
            "kill_region": platform.kill_region,
            "start_region": platform.start_region,
            "pause_region": platform.pause_region,
            "resume_region": platform.resume_region,
            "evacuate_region": failover.evacuate,
            "return_region": failover.take_back,
            "crash_instance": self._crash_instance,
            "start_instance": self._start_instance,
            "kill_part": platform.kill_part,
            "start_part": platform.start_part,
            "scale": self._scale,
            "deploy": self._deploy,
            "canary": self.deployments.canary,
            "front_door": self._in_region("front_door"),
            "configure": self._in_region("configure"),
            "sever_log": self._in_region("sever_log"),
            "freeze_registry": self._in_region("freeze_registry"),
            "burn": self._in_region("burn"),
            "poison": self._in_region("poison"),
            "expect": self._in_region("expect"),
            "empty_caches": self._in_region("empty_caches"),
            "damage_copies": self._in_region("damage_copies"),
            "restore": self._in_region("restore"),
            "replica": self._in_region("replica"),
            "rotate_keys": self._rotate_keys,
            "skew_clock": self._in_region("skew_clock"),
            "fit": self._in_region("fit"),
            "mute": self._in_region("mute"),
            "mute_viewers": self._mute_viewers,
            "demand": self._demand,
        }

    @property
    def names(self) -> frozenset[str]:
        """Names of the actions."""
        return frozenset(self._actions)

    async def perform(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Do the action ``name``; what operators announce is told when it begins and when it ends.

        Raises:
            LayoutError: There is no such action, or it takes other arguments.
        """
        if name not in self._actions:
            raise LayoutError(f"no action {name!r}; there are: {', '.join(self._actions)}")
        try:
            signature(self._actions[name]).bind(**arguments)
        except TypeError as error:
            raise LayoutError(f"action {name!r} can't take {dict(arguments)}: {error}") from error
        with self._told(name, arguments):
            await self._actions[name](**arguments)

    @contextmanager
    def _told(self, name: str, arguments: Mapping[str, Any]) -> Iterator[None]:
        # A canary goes on long after the request for it: it is announced where it is watched.
        change = None if name == "canary" else self._changes.begin(name, arguments)
        try:
            yield
        except BaseException as error:
            self._changes.finish(change, arguments, str(error) or type(error).__name__)
            raise
        self._changes.finish(change, arguments)

    def _in_region(self, what: str) -> Do:
        async def act(region: str, **arguments: Any) -> None:
            await self._platform.tell_region(region, what, **arguments)

        return act

    async def _disturb(self, region: str, point: str, **effect: Any) -> None:
        body = {"point": point, **effect}
        await self._platform.tell_region(region, "disturb", key=point, body=body)

    async def _calm(self, region: str, point: str) -> None:
        await self._platform.tell_region(region, "calm", key=point)

    async def _crash_instance(self, region: str, service: str, instance: str = "") -> None:
        """Crash one instance of a service, the oldest when none is named."""
        running = await self._instances(region, service)
        if not running:
            raise LayoutError(f"no instance of {service!r} in {region!r}")
        victim = instance or running[0]
        await self._platform.tell_region(region, "end_instance", instance=victim, crash=True)

    async def _start_instance(self, region: str, service: str, version: str = "1.0.0") -> None:
        await self._platform.tell_region(region, "start_instance", service=service, version=version)
        await self._platform.refresh_addresses([region])

    async def _rotate_keys(self, region: str) -> None:
        """Sign with a new key in a region, and in the others, or they would refuse its tokens."""
        await self._platform.tell_region(region, "rotate_keys")
        for other in self._platform.others(region):
            with suppress(PlatformError):  # one that hangs is no reason not to rotate elsewhere
                await self._platform.tell_region(other, "rotate_keys")

    async def _scale(self, region: str, service: str, instances: int) -> None:
        """Start or stop instances until there are so many."""
        running = await self._instances(region, service)
        for _ in range(len(running), instances):
            await self._platform.tell_region(region, "start_instance", service=service)
        await self._end(region, running[instances:])

    async def _deploy(self, region: str, service: str, version: str) -> None:
        """Deploy red/black: the new instances are all up before the old ones go."""
        old = await self._instances(region, service)
        for _ in old:
            await self._platform.tell_region(
                region, "start_instance", service=service, version=version
            )
        await self._end(region, old)

    async def _end(self, region: str, instances: list[str]) -> None:
        """Send viewers elsewhere, then stop the instances in order."""
        await self._platform.refresh_addresses([region], without=frozenset(instances))
        for instance in instances:
            await self._platform.tell_region(region, "end_instance", instance=instance)

    async def _instances(self, region: str, service: str) -> list[str]:
        found = await self._platform.tell_region(region, "instances", service=service)
        return [instance["id"] for instance in found["instances"]]

    async def _mute_viewers(self, metrics: list[str]) -> None:
        await self._platform.tell_viewers("/mute", {"metrics": metrics})

    async def _demand(self, region: str, factor: float) -> None:
        await self._platform.tell_viewers("/demand", {"region": region, "factor": factor})
