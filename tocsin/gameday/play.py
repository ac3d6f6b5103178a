"""Plays a game day: one thing after another, with time to recover in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from collectors.errors import TocsinError
from tocsin.client.wording import duration
from tocsin.demo.narrator import Narrator
from tocsin.gameday.oncall import OnCall
from tocsin.gameday.platform import Platform
from tocsin.gameday.turns import HEALTHY

POLL_S = 1.0
SECONDS_PER_PLATFORM_HOUR = 60.0
"""The platform's clock is compressed: an hour of its day passes in a minute."""

MAX_SCENARIO_S = 900.0


def _nobody(name: str) -> None:
    del name


class GameDayError(TocsinError):
    """The game day could not be played to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take, seconds.

    Attributes:
        settle_s: The platform is left alone for this long first: tocsin learns what is usual.
        hold_s: A fault lasts this long.
        recover_s: Incidents have this long to clear afterwards, at most.
        rest_s: Time between two things, at least.
        enough_s: A fault that a page or a ticket is about ends so long after that; 0: it lasts
            for ``hold_s`` in any case.
    """

    settle_s: float = 75.0
    hold_s: float = 60.0
    recover_s: float = 120.0
    rest_s: float = 15.0
    enough_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GameDay:
    """Somebody who plays, and somebody who answers.

    Attributes:
        platform: What is played on.
        on_call: Answers meanwhile.
        narrator: Says what goes on.
        pace: How long things take.
        alive: Says whether all that was started for the day still runs.
        wait: Waits; takes seconds.
        now_s: The present, monotonic, seconds.
    """

    platform: Platform
    on_call: OnCall
    narrator: Narrator
    pace: Pace
    alive: Callable[[], bool] = lambda: True
    wait: Callable[[float], None] = time.sleep
    now_s: Callable[[], float] = time.monotonic

    def settle(self) -> None:
        """Leave the platform alone for a while."""
        if self.pace.settle_s:
            self.narrator.say("settling", f"{duration(self.pace.settle_s)} without any fault")
            self._attend("settling", self.pace.settle_s)

    def play(
        self,
        names: Sequence[str],
        scenarios: frozenset[str],
        *,
        until_s: float = inf,
        after: Callable[[str], None] = _nobody,
    ) -> None:
        """Play what is named, one after another.

        Args:
            names: What is played; ``healthy-hour`` is doing nothing for an hour of the platform's.
            scenarios: Those of them that end by themselves.
            until_s: Nothing begins after this, in the time of ``now_s``.
            after: Told the name of each when it is over, its incidents included.

        Raises:
            GameDayError: A scenario does not end, or tocsin or the platform has died.
        """
        for name in names:
            if self.now_s() >= until_s:
                return
            if name == HEALTHY:
                self.narrator.say("begins", "an hour in which nothing is done")
                self._attend(name, SECONDS_PER_PLATFORM_HOUR)
            else:
                self._play(name, scripted=name in scenarios)
                self._recover()
            after(name)

    def _play(self, name: str, *, scripted: bool) -> None:
        enough = self._seen_enough()
        self.narrator.say("begins", name, "alarm")
        self.platform.begin(name)
        if scripted:
            self._attend(name, MAX_SCENARIO_S, lambda: not self.platform.active())
            if self.platform.active():
                raise GameDayError(f"{name} did not end in {duration(MAX_SCENARIO_S)}")
        else:
            self._attend(name, self.pace.hold_s, enough)
            self.platform.end(name)
        self.narrator.say("ended", name)

    def _seen_enough(self) -> Callable[[], bool]:
        """Return what says whether an incident has been open for so long that all is told."""
        before = self.on_call.open_ids() if self.pace.enough_s else frozenset()
        open_since_s = inf

        def enough() -> bool:
            nonlocal open_since_s
            if self.pace.enough_s and open_since_s == inf and self.on_call.open_ids() - before:
                open_since_s = self.now_s()
            return self.now_s() - open_since_s >= self.pace.enough_s

        return enough

    def play_schedule(self, seed: int, hours: float) -> Mapping[str, Any]:
        """Let the platform's seeded schedule play; return it as it went.

        Raises:
            GameDayError: It does not end, or tocsin or the platform has died.
        """
        duration_s = hours * SECONDS_PER_PLATFORM_HOUR
        plan = self.platform.begin_schedule(seed, duration_s)
        words = f"{len(plan['turns'])} turns in {duration(duration_s)}, seed {seed}"
        self.narrator.say("schedule", words, "work")
        told: set[int] = set()

        def over() -> bool:
            state = self.platform.schedule()
            for number, turn in enumerate(state["turns"]):
                if turn["state"] == "playing" and number not in told:
                    told.add(number)
                    self.narrator.say("begins", turn["name"], "alarm")
            return not state["running"]

        self._attend("schedule", duration_s + MAX_SCENARIO_S, over)
        state = self.platform.schedule()
        if state["running"]:
            raise GameDayError(f"the schedule of seed {seed} did not end in time")
        self._recover()
        return state

    def _recover(self) -> None:
        self._attend("resting", min(self.pace.rest_s, self.pace.recover_s))
        left_s = self.pace.recover_s - self.pace.rest_s
        self._attend("recovering", max(0.0, left_s), self.on_call.all_clear)

    def _attend(self, what: str, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        end_s = self.now_s() + seconds
        while (left_s := end_s - self.now_s()) > 0 and not until():
            if not self.alive():
                raise GameDayError(f"tocsin or the platform ended while {what}; see their logs")
            open_now = self.on_call.look()
            self.narrator.progress(
                what, f"{duration(int(left_s)):>8} at most; {'; '.join(open_now) or 'calm'}"
            )
            self.wait(min(POLL_S, left_s))
