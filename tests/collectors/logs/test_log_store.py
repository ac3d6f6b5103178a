"""Lines in memory: written, found, bounded, and there again after a start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.budget import Budget, Memory, Turns
from collectors.errors import CancelledError, StorageError
from collectors.host.journal import MemoryJournal
from collectors.limits import Limits
from collectors.log_batch import LogBatch, Severity, pack
from collectors.logs.block import BLOCK_LINES, Block
from collectors.logs.search import LogSearch
from collectors.logs.store import LogStore
from collectors.logs.words import Phrase, phrases_of
from tests.collectors.logs.lines import NS, T0, batch, store_of, texts

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_lines_are_found_newest_first_by_every_condition() -> None:
    """Whoever looks for a line would not find it, or find others."""
    store = store_of(
        batch("cache miss for title 7", "dial tcp: connection refused", region="us"),
        batch("connection pool refused a lease", service="billing", severity=Severity.ERROR),
        batch("charged", service="billing", trace_id=TRACE, span_id=SPAN, first_ms=T0 + 60_000),
        batch("Überlauf im Puffer", resource=pack({"host.name": "n1"}), first_ms=T0 + 90_000),
    )
    refused = ["dial tcp: connection refused", "connection pool refused a lease"]
    for text, wanted, found in (
        ("", {"limit": 2}, ["Überlauf im Puffer", "charged"]),
        ("REFUSED", {}, refused),
        ('"connection refused"', {}, refused[:1]),
        ("refused pool", {}, refused[1:]),
        ("connection-refused", {}, refused[:1]),
        ("überlauf", {}, ["Überlauf im Puffer"]),
        ("refuse", {}, []),
        ("", {"severity": int(Severity.WARN)}, refused[1:]),
        ("", {"services": ("billing",)}, ["charged", refused[1]]),
        ("", {"trace_ids": (TRACE,)}, ["charged"]),
        ("", {"trace_ids": (TRACE[::-1], TRACE)}, ["charged"]),
        ("", {"trace_ids": ("f" * 16 + TRACE[16:], "e" * 32)}, []),
        ("", {"span_id": SPAN}, ["charged"]),
        ("", {"span_id": SPAN[::-1]}, []),
        ("", {"attributes": {"region": "us"}}, [refused[0], "cache miss for title 7"]),
        ("", {"attributes": {"host.name": "n1"}}, ["Überlauf im Puffer"]),
        ("", {"attributes": {"region": "eu"}}, []),
        ("", {"start_ns": (T0 + 60_000) * NS, "end_ns": (T0 + 90_000) * NS}, ["charged"]),
    ):
        assert texts(store, text, **wanted) == found, (text, wanted)


def test_pages_show_each_line_once() -> None:
    """A reader who goes on would miss lines of the same moment, or see them twice."""
    store = store_of(*(batch(*(f"line {n}" for n in range(5)), step_ms=0) for _ in range(3)))
    wanted, seen = LogSearch(limit=4), []
    while True:
        found = store.search(wanted)
        seen += [line.arrival for line in found.lines]
        if found.next is None:
            break
        wanted = replace(wanted, before=found.next)
    assert seen == sorted(range(15), reverse=True)


def test_more_lines_than_a_block_are_found_in_order() -> None:
    """Late lines stand in blocks of others: an answer by blocks would not be by time."""
    half = BLOCK_LINES // 2 + 10
    late = batch(*(f"late {n}" for n in range(half)), first_ms=T0 - 1_000, step_ms=0)
    store = store_of(batch(*(f"n {n}" for n in range(half))), batch("odd"), late, batch("new"))
    assert len(store.blocks()) == 2
    assert texts(store, limit=1) == [f"n {half - 1}"]
    assert texts(store, '"late 7"') == ["late 7"]
    counts = store.histogram(LogSearch(), T0 - 1_000, 1_000, 3).counts.sum(axis=1)
    assert counts.tolist()[0] == half
    assert store.line_count == 2 * half + 2


@given(
    words=st.lists(st.text("abAB1 -_ü", min_size=1, max_size=8), min_size=1, max_size=6),
    asked=st.text("abAB1 -ü", min_size=1, max_size=4),
)
def test_the_index_says_what_the_text_says(words: list[str], asked: str) -> None:
    """A line whose word the index does not know would never be found."""
    phrases = phrases_of(asked)
    expected = [w for w in words if phrases and all(p.matches(w) for p in phrases)]
    if phrases:
        assert sorted(texts(store_of(batch(*words)), asked)) == sorted(expected)


def test_what_does_not_fit_goes_oldest_first_and_is_counted() -> None:
    """A chatty service would take all memory, or lines would vanish without a word."""
    lines = [f"{n} {'x' * 50}" for n in range(BLOCK_LINES)]
    store = store_of(limits=Limits(max_log_bytes=3 << 20))
    for at in range(4):
        store.write_logs(batch(*lines, first_ms=T0 + at * BLOCK_LINES))
    store.write_logs(batch("last", first_ms=T0 + 3_000_000))
    assert store.size <= 3 << 20
    assert store.evicted + store.line_count == 4 * BLOCK_LINES + 1
    assert store.evicted > 0
    assert texts(store, limit=1) == ["last"]


def test_lines_are_there_again_after_a_start_without_their_secrets() -> None:
    """What was acknowledged would be lost with the process, or a secret would be on the disk."""
    journal = MemoryJournal()
    store_of(batch("paid by ann@example.org", "two"), journal=journal)
    again = store_of(journal=journal)
    assert texts(again) == ["two", "paid by [redacted email]"]
    assert all(b"example.org" not in record for record in journal.replay(0x4C))
    again.write_logs(batch("three", first_ms=T0 + 5))
    assert texts(store_of(journal=journal))[0] == "three"


class _FullJournal(MemoryJournal):
    def append(self, kind: int, payload: bytes) -> None:
        del kind, payload
        raise StorageError("the disk is full")


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.search(LogSearch(phrases=tuple(phrases_of('"a b"')))),
        lambda store: store.histogram(LogSearch(), T0, 1_000, 1),
        lambda store: [*store.matching(LogSearch())],
    ],
)
def test_a_search_that_nobody_waits_for_ends(ask: Callable[[LogStore], object]) -> None:
    """Ten long searches would keep all others waiting, long after their readers have gone."""
    store = store_of(batch("a b"))
    budget = Budget(timeout_s=10, memory=Memory(1 << 20), turns=Turns(1))
    with budget.spending():
        budget.cancel("gone")
        with pytest.raises(CancelledError):
            ask(store)


def test_what_is_not_logged_is_not_acknowledged() -> None:
    """A sender would forget lines that nobody has."""
    store = store_of(journal=_FullJournal())
    with pytest.raises(StorageError):
        store.write_logs(batch("lost"))
    assert texts(store) == []


def _timed(time_ns: int) -> LogBatch:
    return replace(batch("a"), time_ns=np.array([time_ns], np.int64))


def test_lines_of_impossible_times_are_refused_and_told() -> None:
    """A clock that is wrong would fill memory with lines that nobody looks for."""
    store = store_of()
    for time_ns, reasons in (
        (0, []),
        ((T0 + 3_600_000 + 700_000) * NS, ["lineFromFuture"]),
        ((T0 - 30 * 86_400_000) * NS, ["lineTooOld"]),
    ):
        receipt = store.write_logs(_timed(time_ns))
        assert [refusal.reason for refusal in receipt.rejected] == reasons
    [line] = store.search(LogSearch()).lines
    assert line.time_ns == (T0 + 3_600_000) * NS


def test_a_phrase_of_no_words_asks_for_nothing() -> None:
    """A search for dashes would be one for everything, or fail."""
    assert phrases_of('--- "…"') != phrases_of("a")
    assert Phrase("a_b").words == ["a", "b"]


def test_lines_are_taken_while_a_full_block_is_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sender and every search would wait for the index of sixteen thousand lines."""
    store = store_of()
    begun, other_came = threading.Event(), threading.Event()
    seal = Block.sealed

    def slowly(block: Block) -> Block:
        begun.set()
        assert other_came.wait(20)
        return seal(block)

    monkeypatch.setattr(Block, "sealed", slowly)
    full = batch(*(f"line {n}" for n in range(BLOCK_LINES)))
    store.write_logs(full)
    with ThreadPoolExecutor(1) as thread:
        sealing = thread.submit(store.write_logs, batch("one more"))
        assert begun.wait(20)
        store.write_logs(batch("meanwhile"))
        assert texts(store, "meanwhile") == ["meanwhile"]
        assert len(texts(store, '"line 7"')) == 1
        other_came.set()
        assert sealing.result(20).accepted == 1
    assert store.line_count == BLOCK_LINES + 2
    assert store.size > sum(map(len, full.bodies))
