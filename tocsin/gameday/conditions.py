"""Under which conditions a game day was run: without them its numbers say nothing."""

from __future__ import annotations

import os
import platform as machine
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.client.wording import duration, moment, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What the numbers depend on.

    Attributes:
        started_ms: When the game day began, epoch milliseconds.
        ended_ms: When it ended.
        step_s: Length of tocsin's step, seconds.
        series: Series that tocsin held at the end.
        versions: Of tocsin and of Python.
        load: What the platform was under: regions, stream starts a second, seed.
        cpus: Processors of the machine.
        load_average: Over one minute, at the beginning and at the end.
        grace_s: Grace after a fault's end, seconds.
        answered: Whether the game day answered the pages itself.
    """

    started_ms: int
    ended_ms: int
    step_s: float
    series: int
    versions: Mapping[str, str]
    load: Mapping[str, Any]
    cpus: int
    load_average: tuple[float, float]
    grace_s: float
    answered: bool

    def rows(self) -> list[tuple[str, str]]:
        """Return them as pairs for people."""
        before, after = self.load_average
        return [
            ("Began", moment(self.started_ms)),
            ("Lasted", duration((self.ended_ms - self.started_ms) // 1_000)),
            ("Step", duration(self.step_s)),
            ("Series", number(self.series)),
            ("Versions", ", ".join(f"{name} {value}" for name, value in self.versions.items())),
            ("Platform", ", ".join(f"{name} {_plain(v)}" for name, v in self.load.items())),
            ("Machine", f"{self.cpus} processors; load {before:.1f} before, {after:.1f} after"),
            ("Grace after a fault", duration(self.grace_s)),
            ("Pages answered by", "the game day itself" if self.answered else "people"),
        ]


def one_minute_load() -> float:
    """Return the machine's load average over a minute; 0 where there is none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def versions(health: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions that matter."""
    return {"tocsin": str(health["version"]), "Python": machine.python_version()}


def load_of(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the platform's status says of its load."""
    return {
        "regions": sorted(status["regions"]),
        "stream starts a second and region": status["sps"],
        "seed": status["seed"],
    }


def _plain(value: Any) -> str:
    return " + ".join(map(str, value)) if isinstance(value, list) else str(value)
