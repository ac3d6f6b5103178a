"""The foreign parts of the platform: caches and a broker where they are installed.

What is not installed is replaced by something embedded in the regions; :meth:`Parts.status` says
which it is. A part that dies is started again at the same address, empty.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo_stack.chassis.errors import LayoutError
from demo_stack.supervisor.processes.keeper import RESTART_AFTER_S, Keeper
from demo_stack.supervisor.processes.sidecar import (
    Sidecar,
    broker_command,
    has_broker,
    has_memcached,
    memcached_command,
)
from demo_stack.world.layout import ZONES

BROKER = "broker"


class Parts:
    """Starts the parts that are installed, and keeps them up.

    Args:
        regions: Names of the regions: each has a cache in every zone.
        log_dir: Directory of their logs.
        embedded: Use only what is embedded, whatever is installed.
        restart_after_s: How long a part that died stays away, in seconds.
    """

    def __init__(
        self,
        regions: Sequence[str],
        log_dir: Path,
        *,
        embedded: bool = False,
        restart_after_s: float = RESTART_AFTER_S,
    ) -> None:
        self._restart_after_s = restart_after_s
        self._caches: dict[str, dict[str, Sidecar]] = {region: {} for region in regions}
        self._broker: Sidecar | None = None
        self._keepers: dict[str, Keeper] = {}
        if embedded:
            return
        if has_memcached():
            for region, zones in self._caches.items():
                for zone in ZONES:
                    zones[zone] = Sidecar(cache_part(region, zone), memcached_command, log_dir)
        if has_broker():
            self._broker = Sidecar(BROKER, broker_command, log_dir)

    async def start(self) -> None:
        """Start everything at once.

        Raises:
            SidecarError: A part did not come up.
        """
        async with asyncio.TaskGroup() as group:
            for part in self._all().values():
                group.create_task(part.start())
        for name, part in self._all().items():
            self._keepers[name] = Keeper(part, part.start, self._restart_after_s)
            self._keepers[name].open()

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(*(keeper.close() for keeper in self._keepers.values()))
        await asyncio.gather(*(part.stop() for part in self._all().values()))

    def runs(self, name: str) -> bool:
        """Return whether a part is a process of its own, dead or alive, and not embedded."""
        return name in self._all()

    async def kill(self, name: str, *, stay: bool = False) -> None:
        """Kill a part, such as ``broker`` or ``cache-us-east-1a``, with no warning.

        Args:
            name: Which.
            stay: It stays dead until it is started; otherwise it comes back after a while.

        Raises:
            LayoutError: There is no such part: it is not installed, or never was.
        """
        part = self._known(name)
        if stay and name in self._keepers:
            self._keepers[name].leave_dead()
        await part.kill()

    async def revive(self, name: str) -> None:
        """Start a part that was killed, empty; nothing happens when it runs.

        Raises:
            LayoutError: There is no such part.
            SidecarError: It did not come up; it is tried again in a while.
        """
        self._known(name)
        if name in self._keepers:
            await self._keepers[name].up()

    def caches(self, region: str) -> dict[str, list[str]]:
        """Return the addresses of a region's cache nodes by zone; none when embedded."""
        return {zone: [_address(part)] for zone, part in self._caches[region].items()}

    @property
    def broker(self) -> str:
        """Address of the broker; empty when embedded."""
        return _address(self._broker) if self._broker is not None else ""

    def status(self) -> dict[str, Any]:
        """Return which system each part is, and its processes."""
        cached = any(self._caches.values())
        caches = {part.name: part.pid for zones in self._caches.values() for part in zones.values()}
        return {
            "cache": {"system": "memcached" if cached else "embedded", "pids": caches},
            "eventlog": {
                "system": "kafka" if self._broker is not None else "embedded",
                "address": self.broker,
                "pids": {BROKER: self._broker.pid} if self._broker is not None else {},
            },
        }

    def _all(self) -> dict[str, Sidecar]:
        parts = [part for zones in self._caches.values() for part in zones.values()]
        if self._broker is not None:
            parts.append(self._broker)
        return {part.name: part for part in parts}

    def _known(self, name: str) -> Sidecar:
        known = self._all()
        if name not in known:
            raise LayoutError(f"no part {name!r} runs; there are: {', '.join(known) or 'none'}")
        return known[name]


def cache_part(region: str, zone: str) -> str:
    """Return the name of the cache of a zone.

    >>> cache_part("us-east-1", "a")
    'cache-us-east-1a'
    """
    return f"cache-{region}{zone}"


def _address(part: Sidecar) -> str:
    return f"127.0.0.1:{part.port}"
