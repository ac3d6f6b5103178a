"""The live stream: filters mean what they say, samples are samples, slow readers harm nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.mantis.filters import FilterError, parse_filter
from demo_stack.mantis.stream import MAX_SUBSCRIBERS, QUEUE, RequestStream, _events

EVENT = {"service": "playback", "route": "/titles/{title}", "status": 503, "duration_ms": 12.5}


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("", True),
        ('service == "playback"', True),
        ('service != "playback"', False),
        ("status >= 500 and duration_ms < 20", True),
        ("status >= 500 and duration_ms > 20", False),
        ("status < 500 or duration_ms > 10", True),
        ('route ~ "titles"', True),
        ('not route ~ "titles"', False),
        ('not (status == 200 or service == "edge")', True),
        ('status == 200 and service == "edge" or duration_ms == 12.5', True),
        ('status == 200 and (service == "edge" or duration_ms == 12.5)', False),
        ("unknown == 1", False),
        ("not unknown == 1", True),
        ("service > 5", False),
    ],
)
def test_filters(expression: str, matches: bool) -> None:
    """A filter that means something else shows the wrong requests."""
    assert parse_filter(expression)(EVENT) is matches


@pytest.mark.parametrize(
    "expression",
    ["status", "status >=", "status == and", "(status == 1", "status == 1)", "1 == 1",
     "status == 1 status == 2", 'service == "x', "status = 1", "a == 1 and", "$",
     "(" * 40, "x" * 600],
)  # fmt: skip
def test_bad_filters_are_refused_with_a_reason(expression: str) -> None:
    """Whoever mistypes a filter must learn where."""
    with pytest.raises(FilterError):
        parse_filter(expression)


@given(st.text(max_size=60))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    """A stranger's filter must never end the stream for others."""
    with contextlib.suppress(FilterError):
        assert parse_filter(text)(EVENT) in (True, False)


def test_a_sample_is_about_its_share() -> None:
    """A sample of another size misleads whoever scales it up."""
    stream = RequestStream(Random(1))
    tenth = stream.subscribe("", 0.1)
    for _ in range(1_000):
        stream.publish(EVENT)
    assert 60 <= tenth.waiting.qsize() <= 140


def test_a_slow_reader_loses_events_and_the_stream_goes_on() -> None:
    """One slow reader must not fill memory or hold up requests."""
    stream = RequestStream(Random(1))
    slow = stream.subscribe("", 1.0)
    for _ in range(QUEUE + 50):
        stream.publish(EVENT)
    assert (slow.waiting.qsize(), slow.dropped) == (QUEUE, 50)


def test_a_slow_reader_is_told_what_it_lost() -> None:
    """A gap that is not told looks like silence."""
    stream = RequestStream(Random(1))

    async def story() -> tuple[bytes, bytes]:
        slow = stream.prepare("", 1.0)
        events = _events(stream, slow)
        await anext(events)
        for _ in range(QUEUE + 50):
            stream.publish(EVENT)
        return await anext(events), await anext(events)

    told, event = asyncio.run(story())
    assert told == b'event: dropped\ndata: {"dropped":50}\n\n'
    assert event.startswith(b'data: {"service":"playback"')


@pytest.mark.parametrize("sample", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(sample: float) -> None:
    """A sample of nothing would be a stream that never speaks."""
    with pytest.raises(FilterError, match="share"):
        RequestStream(Random(1)).subscribe("", sample)


def test_subscribers_are_bounded_and_leave_when_they_hang_up() -> None:
    """Readers that never leave would pile up until the region slows."""
    stream = RequestStream(Random(1))

    async def story() -> None:
        first = stream.prepare("status >= 500", 1.0)
        assert stream.subscriptions == []  # who never reads takes nobody's place
        events = _events(stream, first)
        assert isinstance(events, AsyncGenerator)
        assert await anext(events) == b": open\n\n"
        stream.publish({**EVENT, "status": 200})
        stream.publish(EVENT)
        assert b'"status":503' in await anext(events)
        for _ in range(MAX_SUBSCRIBERS - 1):
            stream.subscribe("", 1.0)
        with pytest.raises(FilterError):
            stream.subscribe("", 1.0)
        await events.aclose()
        assert len(stream.subscriptions) == MAX_SUBSCRIBERS - 1

    asyncio.run(story())
