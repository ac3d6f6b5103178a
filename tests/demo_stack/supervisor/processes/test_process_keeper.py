"""What dies by itself comes back; what was killed on purpose stays dead until it is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demo_stack.chassis.errors import PlatformError
from demo_stack.supervisor.processes.audience import Audience, UnreachableError
from demo_stack.supervisor.processes.keeper import Keeper
from demo_stack.viewers.process import ViewersSpec


class Process:
    """A process that dies when told; fails to start as often as it is told."""

    name = "fake"

    def __init__(self, failures: int = 0) -> None:
        self.starts = 0
        self.failures = failures
        self._dead = asyncio.Event()
        self._dead.set()

    @property
    def alive(self) -> bool:
        return not self._dead.is_set()

    async def ended(self) -> None:
        await self._dead.wait()

    async def start(self) -> None:
        self.starts += 1
        await asyncio.sleep(0)
        if self.starts <= self.failures:
            raise PlatformError("no memory")
        self._dead.clear()

    def die(self) -> None:
        self._dead.set()


async def _turns(number: int = 30) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def _kept(failures: int = 0) -> tuple[Process, Keeper]:
    process = Process(failures)
    keeper = Keeper(process, process.start, restart_after_s=0.0)
    keeper.open()
    return process, keeper


def test_it_is_started_again_each_time_it_dies_and_when_it_does_not_come_up_at_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A process that dies twice would stay dead."""

    async def story() -> bool:
        process, keeper = _kept(failures=2)
        await _turns()
        assert (process.alive, process.starts) == (True, 3)
        process.die()
        await _turns()
        assert (process.alive, process.starts) == (True, 4)
        await keeper.close()
        process.die()
        await _turns()
        return process.alive

    assert asyncio.run(story()) is False
    assert "no memory; trying again" in caplog.text
    assert "fake had died and was started again" in caplog.text


def test_what_was_killed_on_purpose_lies_until_it_is_wanted_and_is_started_once() -> None:
    """A fault that kills would be undone by the keeper."""

    async def story() -> tuple[list[bool], int]:
        process, keeper = _kept()
        await _turns()
        keeper.leave_dead()
        process.die()
        await _turns()
        assert (process.alive, process.starts) == (False, 1)
        started = await asyncio.gather(keeper.up(), keeper.up())
        await _turns()
        assert (process.alive, process.starts) == (True, 2)
        process.die()  # and from now on it is kept up again
        await _turns()
        await keeper.close()
        return list(started), process.starts

    assert asyncio.run(story()) == ([True, False], 3)


def _spec() -> ViewersSpec:
    raise AssertionError("nobody starts them here")


@pytest.fixture
def audience(tmp_path: Path) -> tuple[Audience, list[Any]]:
    """Viewers that are away, and what they were told."""
    told: list[Any] = []

    async def put(url: str, body: Mapping[str, Any]) -> None:
        if told and told[-1] == "away":
            raise UnreachableError("nobody there")
        told.append((url, dict(body)))

    return Audience(_spec, put, tmp_path, lambda: None), told


def test_viewers_that_never_were_up_can_not_be_told(audience: tuple[Audience, list[Any]]) -> None:
    """An order that reached nobody must not look done."""
    viewers, told = audience
    told.append("away")
    with pytest.raises(UnreachableError):
        asyncio.run(viewers.tell("/demand", {"region": "r", "factor": 2.0}))


def test_what_viewers_were_told_last_is_told_again_to_those_that_come_after_them(
    audience: tuple[Audience, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Viewers that restart would forget an evacuation."""
    viewers, told = audience

    class Started:
        alive = True
        pid = 7

        async def start(self) -> dict[str, str]:
            return {"control": "http://second"}

    async def story() -> None:
        viewers._control = "http://first"
        await viewers.tell("/demand", {"region": "r", "factor": 2.0})
        await viewers.tell("/routes", {"r": {}})
        told.append("away")
        await viewers.tell("/demand", {"region": "r", "factor": 3.0})
        await viewers.tell("/steer", {"region": "r", "to": ["s"]})
        told.clear()
        monkeypatch.setattr(viewers, "_launch", Started)
        await viewers.start()

    asyncio.run(story())
    assert told == [
        ("http://second/demand", {"region": "r", "factor": 3.0}),
        ("http://second/steer", {"region": "r", "to": ["s"]}),
    ]
    assert viewers.status() == {"state": "up", "pid": 7, "control": "http://second"}
