"""Whoever writes an event is neither failed nor held up by a log that is away or slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.eventlog.broker import EmbeddedBroker, LogAwayError, Place
from demo_stack.eventlog.traced import TracedProducer
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import tags


class Slow(EmbeddedBroker):
    """Takes an event when it is told to, or never."""

    def __init__(self, *, away: bool) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.away = away

    async def send(self, *_args: object, **_more: object) -> Place:
        await self.go.wait()
        if self.away:
            raise LogAwayError("away")
        return Place(partition=3, offset=0)


@pytest.mark.parametrize("away", [True, False])
def test_a_slow_log_holds_nobody_up_and_its_span_says_what_became_of_the_event(away: bool) -> None:
    """A stream's start would wait for the event log."""

    async def story() -> tuple[bool, int, ReadableSpan]:
        pipe, spans = memory_pipe()
        broker = Slow(away=away)
        telemetry = pipe.telemetry(Identity(service="playback", region="r"))
        producer = TracedProducer(broker, "views", telemetry)
        known = await producer.send("v", {"title": "t01"})
        before = len(spans.get_finished_spans())
        broker.go.set()
        for _ in range(5):
            await asyncio.sleep(0)
        (span,) = spans.get_finished_spans()
        return known, before, span

    known, before, span = steady.run(story())
    assert (known, before) == (False, 0)
    assert span.name == "send views"
    if away:
        assert span.status.status_code is StatusCode.ERROR
        assert tags(span)["error.type"] == "LogAwayError"
    else:
        assert tags(span)["messaging.destination.partition.id"] == "3"


def test_a_quick_log_is_known_to_have_the_event() -> None:
    """A span that does not say where its event went can't be followed."""

    async def story() -> tuple[bool, list[tuple[str, Any]]]:
        pipe, _ = memory_pipe()
        broker = EmbeddedBroker()
        reader = broker.consumer("g", "views", "m")
        telemetry = pipe.telemetry(Identity(service="playback", region="r"))
        known = await TracedProducer(broker, "views", telemetry).send("v", {"title": "t01"})
        return known, [(one.key, one.value["title"]) for one in await reader.poll()]

    assert steady.run(story()) == (True, [("v", "t01")])
