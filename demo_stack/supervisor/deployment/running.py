"""A running platform, as whoever changes it meets it: real processes, or all in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class RunningPlatform(Protocol):
    """What can be asked of a platform and done to it; unknown names raise ``LayoutError``."""

    def status(self) -> dict[str, Any]:
        """Return who is up, and where."""
        ...

    def others(self, region: str) -> list[str]:
        """Return the regions that are up, without ``region``."""
        ...

    async def tell_region(self, region: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Ask a region's private control endpoint to do something.

        Raises:
            PlatformError: The region is dead or refuses.
        """
        ...

    async def tell_viewers(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a ``PUT`` to the viewers' private control endpoint."""
        ...

    async def refresh_addresses(
        self, regions: Sequence[str], without: frozenset[str] = frozenset()
    ) -> None:
        """Let viewers know which instances there are, without those that are about to end."""
        ...

    async def steer(self, region: str, to: Sequence[str], ttl_s: float = 0.0) -> None:
        """Let the viewers of ``region`` be served by other regions."""
        ...

    async def kill_region(self, region: str) -> None:
        """Let a region die with no warning; it stays dead until it is started."""
        ...

    async def start_region(self, region: str) -> None:
        """Start a region again unless it is up; its viewers follow."""
        ...

    async def pause_region(self, region: str) -> None:
        """Let a region stop answering where it stands."""
        ...

    async def resume_region(self, region: str) -> None:
        """Let a paused region go on."""
        ...

    async def kill_part(self, name: str, *, stay: bool = False) -> None:
        """Take a cache node or the broker away."""
        ...

    async def start_part(self, name: str) -> None:
        """Bring a part back that was taken away."""
        ...
