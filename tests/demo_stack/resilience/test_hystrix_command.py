"""Commands: circuit, bulkhead, timeout, fallback, and what each is counted as."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from spectator.config import Config
from spectator.registry import Registry

from demo_stack.chassis.errors import ServiceError
from demo_stack.resilience.breaker import State
from demo_stack.resilience.command import Command, CommandRejectedError
from demo_stack.resilience.commands import Commands
from demo_stack.resilience.events import CommandSettings, Event


class Present:
    """A clock to be set."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


def _failing(status: int) -> Callable[[], Awaitable[str]]:
    async def run() -> str:
        raise ServiceError("no", status=status)

    return run


async def _broken() -> str:
    raise KeyError("nobody expected this")


async def _fine() -> str:
    return "fine"


async def _forever() -> str:
    await asyncio.Event().wait()
    return "never"


async def _popular() -> str:
    return "popular"


def _command(present: Present | None = None, **settings: Any) -> Command:
    return Command("test", CommandSettings(**settings), present or Present())


@pytest.mark.parametrize(
    ("run", "fallback", "outcome", "events"),
    [
        (_fine, _popular, "fine", {Event.SUCCESS: 1}),
        (_failing(500), _popular, "popular", {Event.FAILURE: 1, Event.FALLBACK_SUCCESS: 1}),
        (_failing(503), None, 503,
         {Event.FAILURE: 1, Event.FALLBACK_MISSING: 1, Event.EXCEPTION_THROWN: 1}),
        (_failing(500), _failing(502), 500,
         {Event.FAILURE: 1, Event.FALLBACK_FAILURE: 1, Event.EXCEPTION_THROWN: 1}),
        (_failing(404), _popular, 404, {Event.BAD_REQUEST: 1, Event.EXCEPTION_THROWN: 1}),
        (_broken, _popular, "popular", {Event.FAILURE: 1, Event.FALLBACK_SUCCESS: 1}),
        (_failing(429), _popular, "popular", {Event.FAILURE: 1, Event.FALLBACK_SUCCESS: 1}),
        (_forever, _popular, "popular", {Event.TIMEOUT: 1, Event.FALLBACK_SUCCESS: 1}),
        (_forever, None, 504,
         {Event.TIMEOUT: 1, Event.FALLBACK_MISSING: 1, Event.EXCEPTION_THROWN: 1}),
    ],
)  # fmt: skip
def test_outcomes_and_events(
    run: Callable[[], Awaitable[str]],
    fallback: Callable[[], Awaitable[str]] | None,
    outcome: str | int,
    events: dict[Event, int],
) -> None:
    """Each way to end must give the answer and the counters that Hystrix gives."""
    command = _command(timeout_ms=20)

    async def story() -> str | int:
        try:
            return await command.execute(run, fallback)
        except ServiceError as error:
            return error.status

    assert asyncio.run(story()) == outcome
    assert dict(command.events) == events


def test_an_open_circuit_does_not_call_and_one_probe_heals_it() -> None:
    """An open circuit that still calls protects nobody."""
    present = Present()
    command = _command(present)
    calls = 0

    async def run() -> str:
        nonlocal calls
        calls += 1
        if present.ms < 5_000:
            raise ServiceError("no")
        return "fine"

    async def story() -> None:
        for _ in range(20):
            await command.execute(run, _popular)
        present.ms = 600
        assert await command.execute(run, _popular) == "popular"
        assert calls == 20
        assert command.events[Event.SHORT_CIRCUITED] == 1
        present.ms = 6_000
        assert await command.execute(run, _popular) == "fine"

    asyncio.run(story())
    assert command.breaker.state(6_000) is State.CLOSED


@pytest.mark.parametrize(
    "run", [_failing(500), _failing(404), _forever, _broken], ids=["500", "404", "time", "bug"]
)
def test_a_probe_that_ends_in_any_other_way_reopens_the_circuit(
    run: Callable[[], Awaitable[str]],
) -> None:
    """A probe that is refused must not count as recovery."""
    present = Present()
    command = _command(present, timeout_ms=20)

    async def story() -> None:
        for _ in range(20):
            await command.execute(_failing(500), _popular)
        present.ms = 5_600
        with pytest.raises((ServiceError, KeyError)):
            await command.execute(run)

    asyncio.run(story())
    assert command.breaker.state(5_600) is State.OPEN


def test_a_cancelled_probe_does_not_leave_the_circuit_half_open() -> None:
    """A caller that hangs up would block the circuit for good."""
    present = Present()
    command = _command(present)

    async def story() -> None:
        for _ in range(20):
            await command.execute(_failing(500), _popular)
        present.ms = 5_600
        probe = asyncio.create_task(command.execute(_forever))
        await asyncio.sleep(0)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

    asyncio.run(story())
    assert command.breaker.state(5_600) is State.OPEN
    assert command.running == 0


def test_the_bulkhead_rejects_what_is_too_much_at_once() -> None:
    """One slow dependency would take every place of the gateway."""
    command = _command(max_concurrent=2)

    async def story() -> Event:
        waiting = [asyncio.create_task(command.execute(_forever)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(CommandRejectedError) as rejected:
            await command.execute(_fine)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await command.execute(_fine) == "fine"
        return rejected.value.event

    assert asyncio.run(story()) is Event.SEMAPHORE_REJECTED


def test_fallbacks_have_a_bulkhead_of_their_own() -> None:
    """Fallbacks without a bound fail together with what they stand in for."""
    command = _command(fallback_max_concurrent=1)

    async def story() -> None:
        slow = asyncio.create_task(command.execute(_failing(500), _forever))
        await asyncio.sleep(0)
        with pytest.raises(ServiceError, match="no"):
            await command.execute(_failing(500), _popular)
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)

    asyncio.run(story())
    assert command.events[Event.FALLBACK_REJECTION] == 1
    assert command.events[Event.EXCEPTION_THROWN] == 1


def test_metrics_have_the_names_that_hystrix_publishes() -> None:
    """Dashboards for Hystrix look for exactly these names."""
    registry = Registry(Config(location="memory"))
    commands = Commands(registry, {"a.b": 1_000})
    asyncio.run(commands["a.b"].execute(_failing(500), _popular))
    writer: Any = registry.writer()
    lines = writer.get()
    assert [line for line in lines if line.startswith("c:")] == [
        "c:countFailure,instance=a.b,type=HystrixCommand:1",
        "c:countFallbackSuccess,instance=a.b,type=HystrixCommand:1",
    ]
    assert set(lines) - {line for line in lines if line.startswith("c:")} == {
        "g:isCircuitBreakerOpen,instance=a.b,type=HystrixCommand:0.0",
        "g:errorPercentage,instance=a.b,type=HystrixCommand:0.0",
    }
