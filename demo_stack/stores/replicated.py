"""A replicated store as Cassandra runs one: consistency levels, hinted hand-off, read repair.

Every key lives on several replicas. A write is acknowledged when as many replicas have it as its
consistency level asks for; replicas that were down get it later from a hint. A read asks as many
replicas as its level asks for and returns the newest version; replicas that answered with an older
one are repaired. A replica may also lag: it acknowledges, and applies what it took some time later.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demo_stack.chassis.errors import LayoutError, PlatformError

MAX_HINTS = 10_000


class Consistency(StrEnum):
    """How many replicas must answer."""

    ONE = "one"
    QUORUM = "quorum"
    ALL = "all"

    def needed(self, replicas: int) -> int:
        """Return the answers needed of ``replicas``."""
        return {"one": 1, "quorum": replicas // 2 + 1, "all": replicas}[self.value]


class UnavailableError(PlatformError):
    """Fewer replicas are up than the consistency level needs: nothing was tried."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A value and when it was written; the later one wins, ties go to the larger writer name."""

    time_ms: int
    writer: str
    value: Any = field(compare=False)


@dataclass(slots=True)
class Replica:
    """One copy.

    Attributes:
        name: Such as its region.
        up: Whether it answers.
        rows: Newest version by key, as far as it knows.
        lag_s: How late it applies what it takes, in seconds.
        coming: What it took and has not applied: when it will, key and version.
    """

    name: str
    up: bool = True
    rows: dict[str, Version] = field(default_factory=dict)
    lag_s: float = 0.0
    coming: deque[tuple[float, str, Version]] = field(default_factory=deque)

    def take(self, key: str, version: Version) -> None:
        """Keep a version unless a newer one is known."""
        known = self.rows.get(key)
        if known is None or known < version:
            self.rows[key] = version

    def acknowledge(self, key: str, version: Version, now_s: float) -> None:
        """Take a version at once, or later if the replica lags."""
        if not self.lag_s:
            self.take(key, version)
            return
        if len(self.coming) >= MAX_HINTS:
            self.take(*self.coming.popleft()[1:])  # memory is not for ever
        self.coming.append((now_s + self.lag_s, key, version))

    def catch_up(self, now_s: float) -> None:
        """Apply what is due; everything when the replica does not lag any more."""
        while self.coming and (not self.lag_s or self.coming[0][0] <= now_s):
            self.take(*self.coming.popleft()[1:])


class ReplicatedStore:
    """Replicas and the coordinator in front of them.

    Args:
        replicas: Names of the replicas.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(self, replicas: list[str], now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._replicas = {name: Replica(name) for name in replicas}
        self._hints: dict[str, deque[tuple[str, Version]]] = {
            name: deque(maxlen=MAX_HINTS) for name in replicas
        }
        self.repairs = 0

    @property
    def names(self) -> list[str]:
        """Names of the replicas."""
        return list(self._replicas)

    def replica(self, name: str) -> Replica:
        """Return a replica, to look at it."""
        replica = self._replicas[name]
        replica.catch_up(self._now_s())
        return replica

    def write(
        self, key: str, value: Any, *, time_ms: int, level: Consistency, writer: str = ""
    ) -> None:
        """Write a value.

        Raises:
            UnavailableError: Too few replicas are up for ``level``.
        """
        up = self._require(level)
        version = Version(time_ms, writer, value)
        for replica in up:
            replica.acknowledge(key, version, self._now_s())
        for replica in self._replicas.values():
            if not replica.up:
                self._hints[replica.name].append((key, version))

    def read(self, key: str, *, level: Consistency, near: str = "") -> Any:
        """Return the newest value that the replicas asked know, ``None`` when they know none.

        Args:
            key: What to read.
            level: How many replicas to ask.
            near: Asked first, when it is up.

        Raises:
            UnavailableError: Too few replicas are up for ``level``.
        """
        up = sorted(self._require(level), key=lambda replica: replica.name != near)
        asked = up[: level.needed(len(self._replicas))]
        known = [replica.rows[key] for replica in asked if key in replica.rows]
        if not known:
            return None
        newest = max(known)
        for replica in asked:
            if replica.rows.get(key) != newest:
                replica.take(key, newest)
                self.repairs += 1
        return newest.value

    def lag(self, name: str, lag_s: float) -> None:
        """Let a replica apply writes so many seconds late; 0 lets it catch up.

        Raises:
            LayoutError: There is no such replica, or no such time.
        """
        if name not in self._replicas or not 0 <= lag_s < math.inf:
            known = ", ".join(self._replicas)
            raise LayoutError(f"{name!r} can't lag by {lag_s} s; there are the replicas {known}")
        self._replicas[name].lag_s = lag_s
        self._replicas[name].catch_up(self._now_s())

    def down(self, name: str) -> None:
        """Let a replica stop answering."""
        self._replicas[name].up = False

    def back(self, name: str) -> int:
        """Let it answer again and hand it what it missed; return how much that was."""
        replica = self._replicas[name]
        replica.up = True
        hints = self._hints[name]
        count = len(hints)
        while hints:
            replica.take(*hints.popleft())
        return count

    @property
    def hints(self) -> dict[str, int]:
        """Writes waiting for each replica."""
        return {name: len(waiting) for name, waiting in self._hints.items()}

    def _require(self, level: Consistency) -> list[Replica]:
        up = [self.replica(name) for name, replica in self._replicas.items() if replica.up]
        needed = level.needed(len(self._replicas))
        if len(up) < needed:
            raise UnavailableError(f"{level.value} needs {needed} replicas, {len(up)} are up")
        return up
