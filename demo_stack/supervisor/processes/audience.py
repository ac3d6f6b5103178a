"""The viewers' process: one that dies comes back and is told again what it had been told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from demo_stack.chassis.errors import PlatformError
from demo_stack.supervisor.processes.child import Child
from demo_stack.supervisor.processes.keeper import Keeper
from demo_stack.viewers.process import ViewersSpec

ROUTES = "/routes"

Put = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Sends a ``PUT``: address and body. Raises :class:`UnreachableError` when nobody is there."""


class UnreachableError(PlatformError):
    """Nobody listens at an address of ours, or who did has died meanwhile."""


class Audience:
    """Starts the viewers, keeps them up and tells them things.

    Args:
        spec: Returns what they are started with, routes as they are now.
        put: Reaches their control endpoint.
        log_dir: Directory of their log.
        moved: Called when they have come up.
    """

    name = "viewers"

    def __init__(
        self, spec: Callable[[], ViewersSpec], put: Put, log_dir: Path, moved: Callable[[], None]
    ) -> None:
        self._spec = spec
        self._put = put
        self._log_dir = log_dir
        self._moved = moved
        self._child: Child | None = None
        self._control = ""
        self._told: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.keeper = Keeper(self, self.start)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.alive

    async def ended(self) -> None:
        """Wait until it does not run."""
        if self._child is not None:
            await self._child.ended()

    async def start(self) -> None:
        """Start the process, and repeat what its predecessor had been told.

        Raises:
            PlatformError: It did not come up.
        """
        self._child = self._launch()
        self._control = (await self._child.start())["control"]
        for (path, _), body in self._told.items():
            await self._put(self._control + path, body)
        self._moved()

    async def stop(self) -> None:
        """End the process; it does not come back."""
        await self.keeper.close()
        if self._child is not None:
            await self._child.stop()

    async def tell(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a ``PUT`` to the private control endpoint; later if nobody is there just now.

        Raises:
            PlatformError: It is refused.
        """
        try:
            await self._put(self._control + path, body)
        except UnreachableError:
            if self._control == "":
                raise
        if path != ROUTES:  # these are part of what it is started with
            self._told[path, str(body.get("region", ""))] = body

    def _launch(self) -> Child:
        return Child(self.name, [self.name, self._spec().to_json()], self._log_dir)

    def status(self) -> dict[str, Any]:
        """Return whether it is up, and where."""
        return {
            "state": "up" if self.alive else "dead",
            "pid": self._child.pid if self._child else None,
            "control": self._control,
        }
