"""What a story plays on the platform: a fault that is taken back, a scenario that ends itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from collectors.errors import TocsinError
from tocsin.client.wording import duration

_BEGIN_TIMEOUT_S = 30.0
MAX_SCENARIO_S = 900.0
_POLL_S = 0.5


class PlayError(TocsinError):
    """The platform did not play what it was asked to."""


class Play(Protocol):
    """Something that goes wrong for a while."""

    @property
    def name(self) -> str:
        """What the platform calls it."""
        ...

    def begin(self) -> float:
        """Let it begin; return when it did, epoch milliseconds."""
        ...

    def end(self, meanwhile: Callable[[], None]) -> None:
        """End it, or wait until it has ended; call ``meanwhile`` now and then."""
        ...

    def step(self) -> str | None:
        """Return the step that it is at, None when it has none or is over."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlay:
    """A fault that lasts until it is taken back."""

    name: str
    platform: httpx2.Client

    def begin(self) -> float:
        """Inject it."""
        answer = self.platform.post("/faults", json={"name": self.name}).raise_for_status()
        return float(answer.json()["start_ms"])

    def end(self, meanwhile: Callable[[], None]) -> None:
        """Take it back."""
        del meanwhile
        self.platform.delete(f"/faults/{self.name}").raise_for_status()

    def step(self) -> str | None:
        """A fault has no steps."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPlay:
    """A story of the platform: it goes wrong, is remedied step by step, and ends by itself."""

    name: str
    platform: httpx2.Client

    def begin(self) -> float:
        """Let it play in the background; return once it has begun.

        Raises:
            PlayError: It does not begin.
        """
        self.platform.post("/scenarios", json={"name": self.name}).raise_for_status()
        deadline_s = time.monotonic() + _BEGIN_TIMEOUT_S
        while time.monotonic() < deadline_s:
            state = self._state()
            if state["active"]:
                return float(state["start_ms"])
            time.sleep(_POLL_S)
        raise PlayError(f"scenario {self.name!r} did not begin within {duration(_BEGIN_TIMEOUT_S)}")

    def end(self, meanwhile: Callable[[], None]) -> None:
        """Wait until its remediation is through.

        Raises:
            PlayError: It does not end.
        """
        deadline_s = time.monotonic() + MAX_SCENARIO_S
        while time.monotonic() < deadline_s:
            meanwhile()
            if not self._state()["active"]:
                return
            time.sleep(_POLL_S)
        raise PlayError(f"scenario {self.name!r} did not end within {duration(MAX_SCENARIO_S)}")

    def step(self) -> str | None:
        """Return the step that was begun last."""
        step = self._state()["step"]
        return None if step is None else str(step)

    def _state(self) -> dict[str, Any]:
        known = self.platform.get("/scenarios").raise_for_status().json()["scenarios"]
        for scenario in known:
            if scenario["name"] == self.name:
                found: dict[str, Any] = scenario
                return found
        raise PlayError(f"the platform has no scenario {self.name!r}")
