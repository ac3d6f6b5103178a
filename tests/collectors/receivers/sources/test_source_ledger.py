"""The table of senders: attribution, rhythm, an hour's counts, and its bounds."""

from __future__ import annotations

import threading
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.model import Receipt, Rejection
from collectors.receivers.sources import ledger as ledger_module
from collectors.receivers.sources.arrival import speaks_for
from collectors.receivers.sources.ledger import (
    KEPT_MS,
    MAX_REASONS,
    OTHER_REASONS,
    WINDOW_MS,
    Source,
    SourceLedger,
)
from collectors.receivers.stats import ReceiverStats

NOW_MS = 1_700_000_000_000


class Door:
    """A ledger, a receiver's counters and the time."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW_MS)
        self.ledger = SourceLedger(self.clock)
        self.stats = ReceiverStats()

    def come(
        self, service: str = "api", kept: int = 1, reason: str = "", after_ms: int = 0
    ) -> None:
        """Let a request come, some time after the one before."""
        self.clock.advance_ms(after_ms)
        with self.ledger.arriving("10.0.0.1", "sdk/1"):
            speaks_for(service, "i-1")
            rejected = [Rejection(reason=reason, detail="why", count=2)] if reason else []
            self.stats.take("otlp", Receipt(accepted=kept, rejected=rejected))

    def only(self) -> Source:
        (source,) = self.ledger.sources()
        return source


@pytest.fixture(name="door")
def _door() -> Door:
    return Door()


def test_counts_belong_to_the_request_they_were_made_in(door: Door) -> None:
    """What is refused of one sender would be shown at another."""
    door.come("api", kept=5, reason="tooOld")
    door.come("web", kept=7)
    door.stats.accept("otlp", 100)  # tocsin's own, outside of any request

    api, web = door.ledger.sources()

    assert (api.key.name, api.key.instance, api.key.peer) == ("api", "i-1", "10.0.0.1")
    assert (api.accepted, web.accepted) == (5, 7)
    assert [(part.reason, part.count, part.detail) for part in api.refused] == [
        ("tooOld", 2, "why")
    ]
    assert web.refused == []
    assert door.stats.accepted("otlp") == 112


def test_counts_of_a_worker_thread_count_too(door: Door) -> None:
    """Bodies are decoded in threads; all that counts happens there."""
    with door.ledger.arriving("10.0.0.1"):
        context = copy_context()
        worker = threading.Thread(target=context.run, args=(door.stats.accept, "otlp", 3))
        worker.start()
        worker.join()
    assert door.only().accepted == 3


def test_a_request_that_fails_is_noted(door: Door) -> None:
    """Who sends nothing but nonsense would not be seen at all."""

    def fail() -> None:
        with door.ledger.arriving("10.0.0.1"):
            door.stats.refuse("otlp", "DecodeError", detail="not a message")
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    assert door.only().refused[0].detail == "not a message"


def test_a_question_is_no_sender(door: Door) -> None:
    """Queries come through the same door and count nothing."""
    with door.ledger.arriving("10.0.0.1"):
        pass
    assert door.ledger.sources() == []


def test_a_gateway_is_one_sender_that_names_its_services(door: Door) -> None:
    """A collector forwards for hundreds; each request names others."""
    for names in (("b", "a"), ("c", "a")):
        with door.ledger.arriving("10.0.0.1"):
            for name in names:
                speaks_for(name)
            door.stats.accept("otlp", 2)
    source = door.only()
    assert source.key.name == ""
    assert sorted(source.services) == ["a", "b", "c"]
    assert (source.requests, source.accepted) == (2, 4)


def test_the_rhythm_is_learnt_and_silence_is_told(door: Door) -> None:
    """A sender that stopped would look as one that is in order."""
    door.come()
    door.come(after_ms=15_000)
    assert door.only().interval_ms is None
    door.come(after_ms=15_000)
    door.come(after_ms=60_000)  # one that came late does not change what is usual
    door.come(after_ms=15_000)
    assert door.only().interval_ms == 15_000
    door.clock.advance_ms(45_000)
    assert not door.only().overdue
    door.clock.advance_ms(1)
    assert door.only().overdue


def test_counts_are_of_the_last_hour(door: Door) -> None:
    """A fault that was mended yesterday would still be shown as one."""
    door.come(reason="tooOld", kept=10)
    door.come(after_ms=WINDOW_MS - 120_000, kept=1)
    assert (door.only().accepted, len(door.only().refused)) == (11, 1)
    door.clock.advance_ms(180_000)
    source = door.only()
    assert (source.accepted, source.requests, source.refused) == (1, 1, [])
    door.clock.advance_ms(KEPT_MS)
    assert door.ledger.sources() == []


def test_reasons_are_bounded(door: Door) -> None:
    """A sender could make up a reason a request."""
    for number in range(3 * MAX_REASONS):
        door.come(reason=f"r{number}")
    refused = {part.reason: part.count for part in door.only().refused}
    assert len(refused) == MAX_REASONS + 1
    assert refused[OTHER_REASONS] == 2 * 2 * MAX_REASONS


def test_senders_are_bounded_and_who_was_silent_longest_makes_room(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names without end would take all memory; those who speak must stay."""
    monkeypatch.setattr(ledger_module, "MAX_SOURCES", 3)
    for name in ("a", "b", "c", "a", "d"):
        door.come(name)
    assert [source.key.name for source in door.ledger.sources()] == ["a", "c", "d"]
    assert door.ledger.forgotten == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(0, 50),
            st.sampled_from(["", "x", "y"]),
            st.integers(0, 20_000),
        ),
        max_size=40,
    )
)
def test_nothing_is_counted_twice_or_lost(requests: list[tuple[str, int, str, int]]) -> None:
    """Over less than an hour the table adds up to what the receivers counted."""
    door = Door()
    for name, kept, reason, after_ms in requests:
        door.come(name, kept, reason, after_ms)
    found = door.ledger.sources()
    assert sum(one.accepted for one in found) == door.stats.accepted("otlp")
    refused = sum(part.count for one in found for part in one.refused)
    assert refused == door.stats.refused("otlp")
