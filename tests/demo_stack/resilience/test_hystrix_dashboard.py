"""The dashboard's stream: what each command did lately, under the names that Hystrix gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.chassis.errors import ServiceError
from demo_stack.resilience.command import Command
from demo_stack.resilience.dashboard import command_document, dashboard_route
from demo_stack.resilience.events import CommandSettings
from demo_stack.resilience.rolling import Rolling, percentile


class Present:
    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


async def _popular() -> str:
    return "popular"


def _lasting(present: Present, ms: int, status: int = 200) -> Callable[[], Awaitable[str]]:
    async def run() -> str:
        present.ms += ms
        if status != 200:
            raise ServiceError("no", status=status)
        return "fine"

    return run


def _busy() -> tuple[Command, Present]:
    present = Present()
    command = Command("playback", CommandSettings(timeout_ms=3_000), present)

    async def story() -> None:
        for ms in range(10, 40):
            await command.execute(_lasting(present, ms))
        for _ in range(10):
            await command.execute(_lasting(present, 5, 500), _popular)

    asyncio.run(story())
    return command, present


def test_a_command_shows_counts_health_latency_and_settings() -> None:
    """A dashboard without one of them can't be drawn."""
    command, present = _busy()
    present.ms = 1_500
    shown = command_document(command, 1_700_000_000_000)
    assert (shown["type"], shown["name"], shown["currentTime"]) == (
        "HystrixCommand", "playback", 1_700_000_000_000,
    )  # fmt: skip
    assert (shown["rollingCountSuccess"], shown["rollingCountFailure"]) == (30, 10)
    assert (shown["rollingCountFallbackSuccess"], shown["rollingCountEmit"]) == (10, 0)
    assert (shown["requestCount"], shown["errorCount"], shown["errorPercentage"]) == (40, 10, 25)
    assert shown["rollingMaxConcurrentExecutionCount"] == 1
    assert shown["propertyValue_executionTimeoutInMilliseconds"] == 3_000
    assert shown["latencyExecute"]["100"] == 0, "a bucket of ten seconds is not complete yet"
    present.ms = 10_500
    shown = command_document(command, 0)
    assert shown["latencyExecute"] == {
        "0": 5, "25": 5, "50": 19, "75": 29, "90": 35, "95": 37, "99": 39, "99.5": 39, "100": 39,
    }  # fmt: skip
    assert shown["latencyTotal_mean"] == round((sum(range(10, 40)) + 50) / 40)


def test_what_is_long_ago_is_forgotten() -> None:
    """Counts that never fade show yesterday's outage today."""
    command, present = _busy()
    present.ms = 100_000
    shown = command_document(command, 0)
    assert (shown["rollingCountSuccess"], shown["requestCount"]) == (0, 0)
    assert shown["latencyExecute"]["100"] == 0


@given(st.lists(st.integers(0, 4_000), max_size=40))
def test_rolling_buckets_hold_what_fell_into_complete_ones(gaps: list[int]) -> None:
    """A bucket that is still filling makes rates jump."""
    rolling = Rolling[list[int]](list, 0, bucket_ms=1_000, buckets=10)
    now_ms, seen = 0, []
    for gap in gaps:
        now_ms += gap
        rolling.open(now_ms).append(now_ms)
        seen.append(now_ms)
    first = now_ms // 1_000 - 10
    expected = [at for at in seen if first <= at // 1_000 < now_ms // 1_000]
    assert [at for bucket in rolling.complete(now_ms) for at in bucket] == expected


def test_percentiles_are_values_that_were_seen() -> None:
    """A percentile that nobody had misleads whoever tunes a timeout."""
    assert percentile([], 50) == 0
    assert [percentile([7], percent) for percent in (0, 50, 100)] == [7, 7, 7]


@pytest.mark.parametrize("readers", [1, 6])
def test_the_stream_is_server_sent_events_for_a_few_readers(readers: int) -> None:
    """Readers without a bound would slow the gateway."""
    command, _ = _busy()
    route = dashboard_route([command], every_s=0.0)

    async def story() -> tuple[list[Any], Any]:
        answers = [await route.endpoint(None) for _ in range(readers)]
        first = [await anext(one.body_iterator) for one in answers if one.status_code == 200]
        late = await route.endpoint(None)
        for answer in answers:
            if answer.status_code == 200:
                await answer.body_iterator.aclose()
        return first, late.status_code

    first, late = asyncio.run(story())
    assert {orjson.loads(event.removeprefix(b"data: "))["name"] for event in first} == {"playback"}
    assert late == (200 if readers < 5 else 503)
