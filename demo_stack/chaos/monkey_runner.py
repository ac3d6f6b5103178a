"""Lets the monkey loose on running instances, day after day of the platform's calendar."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Protocol

import orjson

from demo_stack.chaos.calendar import CompressedCalendar
from demo_stack.chaos.monkey import Kill, Monkey, MonkeySettings, Verdict, plan_day
from demo_stack.chaos.truth import TruthEvent, TruthLog
from demo_stack.chassis.context import Sleep
from demo_stack.chassis.errors import PlatformError

REPLACED_AFTER_S = 20.0
"""Within this time, in seconds, somebody notices that an instance is gone and starts another."""

_log = logging.getLogger(__name__)
_NAME = "chaos-monkey"

Groups = Mapping[tuple[str, str], Sequence[str]]
"""Instances by region and service."""


class Targets(Protocol):
    """The instances that the monkey lives among."""

    async def groups(self) -> Groups:
        """Return who runs."""
        ...

    def announce(self, region: str, service: str, instance: str) -> None:
        """Tell people that an instance is about to be terminated."""
        ...

    async def terminate(self, region: str, service: str, instance: str) -> None:
        """End an instance without a word."""
        ...

    async def replace(self, region: str, service: str) -> None:
        """Start an instance in the place of one that died."""
        ...


class TerminationLog:
    """Writes down every kill that was planned, and what became of it: one JSON object a line.

    Args:
        path: The file.
        now_ms: The present, in epoch milliseconds.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        path.touch()

    def write(self, kill: Kill, verdict: Verdict | str, instance: str = "") -> None:
        """Add a line; it is on disk before this returns."""
        line = {
            "time_ms": self._now_ms(),
            "planned": kill.at.isoformat(),
            "region": kill.region,
            "service": kill.service,
            "instance": instance,
            "verdict": str(verdict),
        }
        with self._path.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")


class MonkeyRunner:
    """Plans a day when it begins and carries its kills out when they are due.

    Args:
        settings: What the monkey may do.
        targets: Among whom.
        calendar: When it is.
        outage: Asks whether an incident is open.
        truth: Where kills are recorded.
        log: Where plans and verdicts are recorded.
        rng: The coin and the draw.
        sleep: Waits; takes seconds.
    """

    def __init__(
        self,
        settings: MonkeySettings,
        *,
        targets: Targets,
        calendar: CompressedCalendar,
        outage: Callable[[], Awaitable[bool]],
        truth: TruthLog,
        log: TerminationLog,
        rng: Random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._targets = targets
        self._calendar = calendar
        self._ask_outage = outage
        self._truth = truth
        self._log = log
        self._rng = rng
        self._sleep = sleep
        self._running: Groups = {}
        self._trouble = False
        self._victim = ""
        self.active: frozenset[str] = frozenset()
        self._monkey = Monkey(
            settings,
            outage=lambda: self._trouble,
            instances=lambda region, service: self._running.get((region, service), ()),
            kill=self._choose,
            track=self._track,
            rng=rng,
        )

    async def run(self) -> None:
        """Live day after day until cancelled."""
        day = self._calendar.now().date()
        while True:
            await self.live(day)
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(0), UTC)
            await self._sleep(max(0.0, self._calendar.seconds_until(midnight)))

    async def live(self, day: date) -> None:
        """Carry out the kills of a day that are still to come."""
        begun = self._calendar.now()
        groups = sorted(await self._targets.groups())
        for kill in plan_day(day, groups, self._settings, self._rng, UTC):
            if kill.at >= begun:
                # Late by as long as the kill before it took, if it took so long.
                await self._sleep(max(0.0, self._calendar.seconds_until(kill.at)))
                await self._carry_out(kill)

    async def _carry_out(self, kill: Kill) -> None:
        try:
            self._running = await self._targets.groups()
            self._trouble = await self._in_outage()
            verdict = self._monkey.carry_out(kill)
            if verdict is not Verdict.KILLED:
                self._log.write(kill, verdict)
                return
            await self._kill(kill, self._victim)
        except PlatformError as error:
            _log.warning("Chaos Monkey gave up on %s in %s: %s", kill.service, kill.region, error)

    async def _in_outage(self) -> bool:
        try:
            return await self._ask_outage()
        except Exception:  # noqa: BLE001 - whatever went wrong, we can't tell: nobody is killed
            return True

    def _track(self, kill: Kill, victim: str) -> None:
        """Tell everybody before it happens."""
        self._log.write(kill, Verdict.KILLED, victim)
        self._targets.announce(kill.region, kill.service, victim)

    def _choose(self, _region: str, victim: str) -> None:
        self._victim = victim

    async def _kill(self, kill: Kill, victim: str) -> None:
        event = self._begin(kill, victim)
        self.active = frozenset({_NAME})
        try:
            await self._targets.terminate(kill.region, kill.service, victim)
            await self._sleep(REPLACED_AFTER_S)
            await self._targets.replace(kill.region, kill.service)
        finally:
            self.active = frozenset()
            self._truth.end(event)

    def _begin(self, kill: Kill, victim: str) -> TruthEvent:
        return self._truth.begin(
            kind="fault",
            name=_NAME,
            component=kill.service,
            scope={"cloud.region": kill.region, "service.instance.id": victim},
            expected_impact="None if callers retry: one of several instances dies unannounced.",
        )
