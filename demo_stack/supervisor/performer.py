"""Experiments' actions, done to the running platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from demo_stack.platform.errors import LayoutError
from demo_stack.supervisor.platform import Platform


class PlatformPerformer:
    """Does the actions that :mod:`demo_stack.chaos.actions` names.

    Args:
        platform: To whom.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._actions: dict[str, Callable[..., Awaitable[None]]] = {
            "disturb": self._disturb,
            "calm": self._calm,
            "kill_region": platform.kill_region,
            "start_region": platform.start_region,
        }

    async def perform(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Do the action ``name``.

        Raises:
            LayoutError: There is no such action, or it takes other arguments.
        """
        if name not in self._actions:
            raise LayoutError(f"no action {name!r}; there are: {', '.join(self._actions)}")
        try:
            await self._actions[name](**arguments)
        except TypeError as error:
            raise LayoutError(f"action {name!r} can't take {dict(arguments)}: {error}") from error

    async def _disturb(self, region: str, point: str, **effect: Any) -> None:
        body = {"point": point, **effect}
        await self._platform.tell_region(region, "PUT", f"/disturbances/{point}", body)

    async def _calm(self, region: str, point: str) -> None:
        await self._platform.tell_region(region, "DELETE", f"/disturbances/{point}")
