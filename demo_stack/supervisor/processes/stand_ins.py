"""What stands in for foreign parts that are not installed, killed and revived as they would be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from demo_stack.chassis.errors import LayoutError
from demo_stack.supervisor.processes.parts import BROKER, cache_part
from demo_stack.world.layout import ZONES

Tell = Callable[..., Awaitable[dict[str, Any]]]
"""Asks a region's control endpoint: region, what, arguments."""


class StandIns:
    """The embedded caches and logs of some regions.

    Args:
        regions: Which.
        tell: Reaches them.
        running: Returns those that are up.
    """

    def __init__(
        self, regions: Sequence[str], tell: Tell, running: Callable[[], Sequence[str]]
    ) -> None:
        self._caches = {cache_part(name, zone): (name, zone) for name in regions for zone in ZONES}
        self._tell = tell
        self._running = running

    async def kill(self, name: str, *, stay: bool) -> None:
        """Take away what stands in for a part.

        Raises:
            LayoutError: There is no such part, or it would have to come back by itself.
        """
        self._check(name)
        if not stay:
            raise LayoutError(f"{name!r} is embedded and can't come back by itself; say stay=true")
        await self._switch(name, up=False)

    async def revive(self, name: str) -> None:
        """Bring it back.

        Raises:
            LayoutError: There is no such part.
        """
        self._check(name)
        await self._switch(name, up=True)

    def _check(self, name: str) -> None:
        if name != BROKER and name not in self._caches:
            known = ", ".join([BROKER, *self._caches])
            raise LayoutError(f"no part {name!r}; there are: {known}")

    async def _switch(self, name: str, *, up: bool) -> None:
        if name in self._caches:
            region, zone = self._caches[name]
            await self._tell(region, "cache_zone", zone=zone, up=up)
            return
        for region in self._running():
            await self._tell(region, "sever_log", severed=not up)
