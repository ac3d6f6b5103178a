"""Plays a schedule on the running platform, as far as what goes on there allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from demo_stack.chaos.injector import FaultStateError, Injector
from demo_stack.chaos.schedule import Turn
from demo_stack.chassis.context import Sleep
from demo_stack.chassis.errors import PlatformError


class TurnState(StrEnum):
    """Where a turn stands."""

    WAITING = "waiting"
    PLAYING = "playing"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(slots=True, kw_only=True)
class _Entry:
    turn: Turn
    state: TurnState = TurnState.WAITING
    reason: str = ""


class Scheduler:
    """One schedule at a time.

    A turn is skipped when something else is going on: two faults at once teach nobody anything.

    Args:
        injector: Does it, and records it in the truth file.
        sleep: Waits; takes seconds.
        healthy: Says whether every region is up, faults aside.
        others: Names what goes on besides what is injected.
    """

    def __init__(
        self,
        injector: Injector,
        sleep: Sleep = asyncio.sleep,
        healthy: Callable[[], bool] = lambda: True,
        others: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._injector = injector
        self._sleep = sleep
        self._healthy = healthy
        self._others = others
        self._entries: list[_Entry] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether a schedule is being played."""
        return self._task is not None and not self._task.done()

    def begin(self, turns: Sequence[Turn]) -> None:
        """Play ``turns`` in the background.

        Raises:
            FaultStateError: A schedule is being played already.
        """
        if self.running:
            raise FaultStateError("a schedule is being played already; halt it first")
        self._entries = [_Entry(turn=turn) for turn in turns]
        self._task = asyncio.create_task(self._play())

    def abandon(self) -> None:
        """End the schedule where it stands: the platform itself ends."""
        if self._task is not None:
            self._task.cancel()

    async def halt(self) -> None:
        """End the schedule, and whatever it is playing with it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def state(self) -> dict[str, Any]:
        """Return whether it runs, and every turn with its state."""
        turns = [
            {**asdict(entry.turn), "state": entry.state, "reason": entry.reason}
            for entry in self._entries
        ]
        return {"running": self.running, "turns": turns}

    async def _play(self) -> None:
        elapsed_s = 0.0
        for entry in self._entries:
            await self._sleep(max(0.0, entry.turn.begin_s - elapsed_s))
            elapsed_s = max(elapsed_s, entry.turn.begin_s)
            entry.reason = self._objection()
            if entry.reason:
                entry.state = TurnState.SKIPPED
                continue
            await self._take(entry)
            elapsed_s += entry.turn.hold_s

    def _objection(self) -> str:
        """Return what speaks against a turn now, nothing when nothing does."""
        if busy := sorted(self._injector.busy | self._others()):
            return f"going on already: {', '.join(busy)}"
        return "" if self._healthy() else "a region is dead"

    async def _take(self, entry: _Entry) -> None:
        name = entry.turn.name
        entry.state = TurnState.PLAYING
        try:
            await self._injector.inject(name)
            try:
                await self._sleep(entry.turn.hold_s)
            finally:
                # Somebody may have taken it back meanwhile.
                with contextlib.suppress(FaultStateError):
                    await self._injector.take_back(name)
        except PlatformError as error:
            entry.state, entry.reason = TurnState.SKIPPED, str(error)
        else:
            entry.state = TurnState.DONE
