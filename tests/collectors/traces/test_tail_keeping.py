"""What is kept when the store is full: what somebody will ask for."""

import random

import pytest

from collectors.host.journal import MemoryJournal
from collectors.limits import Limits
from collectors.traces.reach.comparison import compared
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.tail import KEPT_SHARE
from collectors.traces.testing import make_span
from collectors.traces.traceql.parser import parse

MOST = 400


def filled(exemplars: tuple[str, ...] = (), failing: int = 0) -> SpanStore:
    """Return a store to which five times as much was written as it holds, a trace a second.

    Every 50th of the traces failed, every 130th was slow, every 90th came by a route of its own.
    """
    store = SpanStore(MemoryJournal(), Limits(max_spans=MOST), exemplars=exemplars)
    for n in range(1, 5 * MOST + 1):
        store.write_spans(
            [
                make_span(
                    "1",
                    trace=f"{n:x}",
                    name=f"rare {n}" if n % 90 == 0 else "GET",
                    start_ms=n * 1_000,
                    duration_ms=900 if n % 130 == 0 else 10 + n % 5,
                    error=n % (failing or 50) == 0,
                )
            ]
        )
    return store


def old(store: SpanStore, query: str) -> set[int]:
    """Return which of the traces are held that came before those that are whole."""
    wanted = TraceSearch(query=parse(query), end_ms=(store.whole_from_ms() or 0) - 1, limit=1_000)
    return {int(found.trace_id, 16) for found in store.search(wanted)}


def test_what_is_kept() -> None:
    """The evidence would be gone when somebody comes to look."""
    store = filled()
    assert store.span_count <= MOST
    begun = min(old(store, "{}"))
    whole = (store.whole_from_ms() or 0) // 1_000
    assert begun < whole - MOST / 2
    assert old(store, "{ status = error }") == {n for n in range(begun, whole) if n % 50 == 0}
    assert old(store, "{ duration > 800ms }") >= {
        n for n in range(begun, whole) if n % 130 == 0 and n % 90
    }
    assert old(store, '{ name =~ "rare.*" }') == {n for n in range(begun, whole) if n % 90 == 0}
    plain = old(store, '{ name = "GET" && status != error && duration < 100ms }')
    assert all(n <= 25 for n in plain)  # of a route that was new then
    assert set(store.tail_kept) == {"error", "slow", "rare route"}


def test_what_an_exemplar_points_to_is_kept() -> None:
    """A spike's trace would be gone when somebody clicks on it."""
    trace_id = f"{1101:x}".rjust(32, "0")
    assert not filled().trace(trace_id)
    assert filled((trace_id,)).trace(trace_id)


def test_a_flood_of_errors_leaves_room_for_what_is_new() -> None:
    """A service that fails for an hour would push out everything that came since."""
    store = filled(failing=1)
    assert store.span_count <= MOST
    assert len(old(store, "{}")) <= KEPT_SHARE * MOST
    newest = store.search(TraceSearch(limit=1))[0].start_ms
    assert newest == 5 * MOST * 1_000
    assert (store.whole_from_ms() or 0) <= newest - 0.7 * MOST * 1_000


def test_shares_are_made_of_what_is_whole() -> None:
    """Among the old only failures are left: every share of errors would be too high."""
    store = filled()
    held = [span for block in store.blocks() for span in block.spans]
    failed = sum(span.status.value == "error" for span in held)
    assert failed / len(held) == pytest.approx(1 / 50, abs=0.005)
    told = compared(store, TraceSearch(error=True)).comparison
    assert told.bad_spans == failed


def test_the_share_is_kept_whatever_the_order_of_the_spans() -> None:
    """Traces that grow, are cut and come late would be counted twice: too little would be kept."""
    store = SpanStore(MemoryJournal(), Limits(max_spans=300, max_trace_spans=20))
    shuffled = random.Random(7)
    for n in range(3_000):
        second = max(0, n // 10 + shuffled.randint(-30, 0))
        store.write_spans(
            [
                make_span(
                    f"{n + 1:x}",
                    trace=f"{second % 97 + 1:x}",
                    start_ms=second * 1_000,
                    error=n % 3 == 0,
                )
            ]
        )
        held = {second: sum(map(len, traces.values())) for second, traces in store._seconds.items()}
        assert dict(store._spans_of) == held
        assert sum(held.values()) == store.span_count <= 300
