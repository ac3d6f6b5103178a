"""Who serves what, as a caller sees it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Protocol

from demo_stack.platform.errors import DependencyError


class Directory(Protocol):
    """Names to addresses."""

    def choose(self, service: str) -> str:
        """Return the base URL of one instance of ``service``.

        Raises:
            DependencyError: Nobody serves it.
        """
        ...


class FixedDirectory:
    """Addresses that somebody set; a random one of them is chosen.

    Args:
        rng: Source of the choices.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._addresses: dict[str, tuple[str, ...]] = {}

    def set(self, service: str, addresses: Sequence[str]) -> None:
        """Replace the addresses of ``service``."""
        self._addresses[service] = tuple(addresses)

    def choose(self, service: str) -> str:
        """Return one of the addresses of ``service``."""
        addresses = self._addresses.get(service, ())
        if not addresses:
            raise DependencyError(service, "no instance is known", status=503)
        return self._rng.choice(addresses)
