"""Deployments that look before they go on: canary, promotion, rollback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from demo_stack.chassis.errors import LayoutError, PlatformError
from demo_stack.supervisor.deployment.canary import Sample, Verdict, judge
from demo_stack.supervisor.deployment.changes import ChangeLog

WATCH_S = 10.0
"""Time between two looks at a canary."""

LOOKS = 6
"""Looks after which a canary that nobody can judge is taken back."""

_log = logging.getLogger(__name__)


class Hands(Protocol):
    """Who does what a deployment needs."""

    async def tell_region(self, region: str, what: str, **arguments: Any) -> dict[str, Any]:
        """Ask a region's control endpoint."""
        ...


Perform = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Does an action by name, and announces it."""


class Deployments:
    """Runs canaries.

    Args:
        hands: Reaches the regions.
        perform: Does and announces ``start_instance``, ``deploy`` and the like.
        changes: Where canaries are announced, and what became of them.
        sleep: Waits; takes seconds.
    """

    def __init__(
        self,
        hands: Hands,
        perform: Perform,
        changes: ChangeLog,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hands = hands
        self._perform = perform
        self._changes = changes
        self._sleep = sleep
        self._running: dict[tuple[str, str], asyncio.Task[Verdict]] = {}

    async def canary(self, region: str, service: str, version: str) -> None:
        """Begin a canary in the background.

        Raises:
            LayoutError: There is one of this service already, or no instance to compare with.
        """
        under_way = self._running.get((region, service))
        if under_way is not None and not under_way.done():
            raise LayoutError(f"{service!r} has a canary in {region!r} already")
        if not await self._totals(region, service):
            raise LayoutError(f"{service!r} has no instance in {region!r} to compare with")
        self._running[region, service] = asyncio.create_task(
            self._watched(region, service, version)
        )

    async def settled(self) -> dict[tuple[str, str], Verdict]:
        """Wait until every canary has its verdict; return the last one of each service."""
        return {key: await task for key, task in self._running.items()}

    async def close(self) -> None:
        """Stop watching."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _watched(self, region: str, service: str, version: str) -> Verdict:
        arguments = {"region": region, "service": service, "version": version}
        change = self._changes.begin("canary", arguments)
        problem = "interrupted"
        try:
            verdict = await self._watch(region, service, version)
            problem = ""
        except PlatformError as error:
            _log.warning("canary of %s %s in %s ended: %s", service, version, region, error)
            problem = str(error)
            return Verdict.UNDECIDED
        finally:
            self._changes.finish(change, arguments, problem)
        return verdict

    async def _watch(self, region: str, service: str, version: str) -> Verdict:
        where = {"region": region, "service": service}
        old = await self._totals(region, service)
        before = next(one["version"] for one in old.values())
        await self._perform("start_instance", {**where, "version": version})
        start = await self._totals(region, service)
        (canary,) = set(start) - set(old)
        verdict, reason = Verdict.UNDECIDED, ""
        for _ in range(LOOKS):
            await self._sleep(WATCH_S)
            now = await self._totals(region, service)
            verdict, reason = judge(
                _since(start, now, [name for name in old if name in now]),
                _since(start, now, [canary] if canary in now else []),
            )
            if verdict is not Verdict.UNDECIDED:
                break
        if verdict is Verdict.PROMOTE:
            await self._perform("deploy", {**where, "version": version})
            # The canary made it one instance more than there were.
            await self._perform("scale", {**where, "instances": len(old)})
        else:
            told = {**where, "version": version, "before": before, "reason": reason}
            change = self._changes.begin("roll_back", told)
            await self._hands.tell_region(region, "end_instance", instance=canary)
            self._changes.finish(change, told)
        return verdict

    async def _totals(self, region: str, service: str) -> dict[str, Any]:
        found = (await self._hands.tell_region(region, "load"))["instances"]
        return {name: one for name, one in found.items() if one["service"] == service}


def _since(start: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> Sample:
    """Return what these instances served since the start."""
    served = {
        what: sum(now[name][what] - start[name][what] for name in names)
        for what in ("requests", "failures", "seconds")
    }
    return Sample(
        requests=int(served["requests"]),
        failures=int(served["failures"]),
        seconds=float(served["seconds"]),
    )
