"""The platform's control server, as a game day uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from collectors.errors import ConfigError, TocsinError

_TIMEOUT_S = 90.0
"""Some faults begin with several steps; the server answers when all are done."""


class PlatformUnusableError(TocsinError):
    """The platform does not answer, or refuses what a game day asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the platform can play, by name."""

    faults: frozenset[str]
    operations: frozenset[str]
    scenarios: frozenset[str]

    def check(self, names: Sequence[str]) -> None:
        """Refuse names that the platform does not know.

        Raises:
            ConfigError: With the names that it knows.
        """
        known = self.faults | self.operations | self.scenarios
        if unknown := [name for name in names if name not in known]:
            raise ConfigError(
                f"the platform has nothing called {', '.join(unknown)}; it has the scenarios "
                f"{', '.join(sorted(self.scenarios))}, the operations "
                f"{', '.join(sorted(self.operations))} and the faults "
                f"{', '.join(sorted(self.faults))}"
            )


class Platform(Protocol):
    """What is played on."""

    def begin(self, name: str) -> None:
        """Inject a fault, do an operation, or let a scenario play."""
        ...

    def end(self, name: str) -> None:
        """Take it back."""
        ...

    def active(self) -> frozenset[str]:
        """Return what is going on."""
        ...

    def begin_schedule(self, seed: int, duration_s: float) -> Mapping[str, Any]:
        """Let the platform's own seeded schedule play; return it."""
        ...

    def schedule(self) -> Mapping[str, Any]:
        """Return the schedule and how far it has come."""
        ...


class HttpPlatform:
    """A platform over HTTP.

    Args:
        control_url: Its control server.
    """

    def __init__(self, control_url: str) -> None:
        # A proxy in the environment must not swallow requests to loopback.
        self._http = httpx2.Client(base_url=control_url, timeout=_TIMEOUT_S, trust_env=False)
        self._scenarios: frozenset[str] = frozenset()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def catalogue(self) -> Catalogue:
        """Return what it can play."""
        names = {
            kind: frozenset(str(one["name"]) for one in self._ask("GET", f"/{kind}")[kind])
            for kind in ("faults", "operations", "scenarios")
        }
        self._scenarios = names["scenarios"]
        return Catalogue(**names)

    def status(self) -> Mapping[str, Any]:
        """Return seed, load, regions."""
        return self._ask("GET", "/status")

    def begin(self, name: str) -> None:
        """Inject a fault, do an operation, or let a scenario play."""
        path = "/scenarios" if name in self._scenarios else "/faults"
        self._ask("POST", path, {"name": name})

    def end(self, name: str) -> None:
        """Take it back."""
        self._ask("DELETE", f"/faults/{name}")

    def active(self) -> frozenset[str]:
        """Return what is going on, scenarios that are about to begin too."""
        status = self.status()
        return frozenset([*status["faults"], *status.get("playing", [])])

    def begin_schedule(self, seed: int, duration_s: float) -> Mapping[str, Any]:
        """Let the platform's own seeded schedule play; return it."""
        return self._ask("POST", "/schedule", {"seed": seed, "duration_s": duration_s})

    def schedule(self) -> Mapping[str, Any]:
        """Return the schedule and how far it has come."""
        return self._ask("GET", "/schedule")

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise PlatformUnusableError(
                f"{method} {path}: the platform at {self._http.base_url} does not answer ({error})"
            ) from error
        if answer.is_error:
            raise PlatformUnusableError(
                f"{method} {path}: the platform refuses: {answer.status_code} {answer.text[:300]}"
            )
        if not answer.content:
            return {}
        found: dict[str, Any] = answer.json()
        return found
