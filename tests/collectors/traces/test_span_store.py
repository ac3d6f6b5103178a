"""The span store: what it keeps, for how long, and what survives a restart."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.host.journal import FileJournal, MemoryJournal
from collectors.limits import Limits
from collectors.model import ADJUSTED, Span, SpanEvent, SpanLink
from collectors.traces.heat import HeatMap
from collectors.traces.held_trace import TraceSpans
from collectors.traces.search import TraceSearch, TraceSummary, summarize
from collectors.traces.store import SPANS, SpanStore
from collectors.traces.testing import make_span


def test_a_trace_comes_back_by_start_time() -> None:
    """A waterfall would be drawn in the order of arrival."""
    store = SpanStore(MemoryJournal())
    late = make_span("2", parent="1", start_ms=1_005)
    early = make_span("1", start_ms=1_000)
    assert store.write_spans([late, early]).accepted == 2
    assert store.trace("a".rjust(32, "0")) == (early, late)
    assert store.trace("A") == (early, late)
    assert store.trace("b".rjust(32, "0")) == ()


def test_writing_a_span_twice_leaves_one() -> None:
    """A client's retry is accepted and changes nothing, within a batch and across batches."""
    store = SpanStore(MemoryJournal())
    span = make_span()
    assert store.write_spans([span, span]).accepted == 2
    assert store.write_spans([span]).accepted == 1
    assert store.span_count == 1
    assert store.search(TraceSearch())[0].span_count == 1


def test_spans_survive_a_restart(tmp_path: Path) -> None:
    """A reopened journal gives the same spans, events and links included."""
    journal = FileJournal.open(tmp_path / "log")
    store = SpanStore(journal)
    spans = [make_span(str(i), trace=str(i), attributes={"n": i, "ok": True}) for i in range(1, 5)]
    event = SpanEvent(name="retry", time_ns=5, attributes={"list": [1, "a"]})
    link = SpanLink(trace_id="ab", span_id="cd", attributes={})
    spans[0] = replace(spans[0], events=(event,), links=(link,))
    store.write_spans(spans[:2])
    store.write_spans(spans[2:])
    journal.close()
    reopened = FileJournal.open(tmp_path / "log")
    again = SpanStore(reopened)
    assert [again.trace(s.trace_id)[0] for s in spans] == spans
    reopened.close()


def test_a_replay_in_the_background_does_not_hold_up_new_spans() -> None:
    """After a restart, spans would be refused until the log is read."""
    journal = MemoryJournal()
    old = [make_span("1", trace=f"{i:x}", start_ms=1_000 + i) for i in range(1, 500)]
    SpanStore(journal).write_spans(old)
    store = SpanStore(journal, replay_in_background=True)
    store.write_spans([make_span("2", trace="fff", start_ms=2_000), old[0]])
    assert store.wait_replayed(30)
    assert store.span_count == 500


def test_a_damaged_record_is_skipped() -> None:
    """One damaged record would lose all traces."""
    journal = MemoryJournal()
    SpanStore(journal).write_spans([make_span("1")])
    journal.append(SPANS, b'{"spans": [[1]]')
    journal.append(SPANS, b'{"resources": [], "spans": [["x"]]}')
    assert SpanStore(journal).span_count == 1


def test_a_failing_journal_keeps_nothing() -> None:
    """A span would be shown that is gone after a restart."""

    class Broken(MemoryJournal):
        def append(self, kind: int, payload: bytes) -> None:
            raise StorageError(f"no room for {len(payload)} bytes of kind {kind}")

    store = SpanStore(Broken())
    with pytest.raises(StorageError):
        store.write_spans([make_span()])
    assert store.span_count == 0


def test_the_oldest_traces_go_first() -> None:
    """Above the count whole traces are dropped, oldest start first; their services go too."""
    store = SpanStore(MemoryJournal(), Limits(max_spans=3))
    for i in range(1, 6):
        store.write_spans([make_span(str(i), trace=str(i), service=f"s{i}", start_ms=i * 1_000)])
    kept = [t.root_service for t in store.search(TraceSearch())]
    assert kept == ["s5", "s4", "s3"]
    assert store.services() == ["s3", "s4", "s5"]
    assert store.span_count == 3


def test_bytes_are_bounded_too() -> None:
    """Few but huge spans push out older ones before they fill the memory."""
    store = SpanStore(MemoryJournal(), Limits(max_span_bytes=30_000))
    for i in range(1, 21):
        text = {"text": "x" * 4_000}
        store.write_spans([make_span(str(i), trace=str(i), start_ms=i * 1_000, attributes=text)])
    assert 4 <= store.span_count <= 7
    assert store.search(TraceSearch(limit=1))[0].start_ms == 20_000


def test_old_traces_age_out() -> None:
    """Old traces would fill the memory, or outlive what was promised."""
    store = SpanStore(MemoryJournal(), Limits(max_span_age_ms=60_000))
    store.write_spans([make_span("1", trace="1", start_ms=1_000)])
    store.write_spans([make_span("2", trace="2", start_ms=90_000)])
    assert [t.start_ms for t in store.search(TraceSearch())] == [90_000]


@pytest.mark.parametrize(
    ("start_ms", "reason"), [(2_000_000, "spanFromFuture"), (1_000, "spanTooOld")]
)
def test_a_clock_refuses_impossible_times(start_ms: int, reason: str) -> None:
    """With a clock, one lying sender can't push out everybody else's spans."""
    limits = Limits(max_span_age_ms=60_000, max_span_future_ms=60_000)
    store = SpanStore(MemoryJournal(), limits, clock=ManualClock(1_000_000))
    receipt = store.write_spans([make_span(start_ms=start_ms), make_span("2", start_ms=999_000)])
    assert (receipt.accepted, receipt.rejected[0].reason) == (1, reason)


class Archive:
    """An archive in a list."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def offer(self, spans: Sequence[Span]) -> None:
        self.spans += spans

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        found = [summarize([span]) for span in self.spans]
        last_ms = 2**62 if wanted.end_ms is None else wanted.end_ms
        return [trace for trace in found if trace.start_ms <= last_ms][: wanted.limit]

    def read(self, trace_id: str) -> TraceSpans:
        return TraceSpans(spans=[span for span in self.spans if span.trace_id == trace_id])

    def add_heat(self, found: HeatMap, wanted: TraceSearch, end_ms: int) -> None:
        """Add nothing: no map is asked for here."""

    def spans_meant(self, wanted: TraceSearch, before_ms: int | None, most: int) -> list[Span]:
        """Return nothing: no comparison is asked for here."""
        del wanted, before_ms, most
        return []

    def traces(self, start_ms: int, before_ms: int, most: int) -> Iterator[list[list[Span]]]:
        """Yield nothing: no session is asked for here."""
        del start_ms, before_ms, most
        yield from ()

    def close(self) -> None:
        """Nothing is left to do."""


def test_late_spans_go_straight_to_the_archive() -> None:
    """They are logged like all others, and a restart does not take them for new ones."""
    journal, archive = MemoryJournal(), Archive()
    limits = Limits(max_span_age_ms=60_000, max_span_late_ms=500_000)
    clock = ManualClock(1_000_000)
    store = SpanStore(journal, limits, clock=clock, archive=archive)
    late, timely = make_span("1", start_ms=600_000), make_span("2", start_ms=999_000)
    receipt = store.write_spans([late, timely, make_span("3", start_ms=499_000)])
    assert (receipt.accepted, receipt.rejected[0].reason) == (2, "spanTooOld")
    assert store.span_count == 1
    assert archive.spans == [timely, late]
    assert store.trace("a") == (late, timely)
    again = SpanStore(journal, limits, clock=clock, archive=Archive())
    assert again.span_count == 1
    assert b"".join(journal.replay(SPANS)).count(late.span_id.encode()) == 1


def test_a_late_span_does_not_hide_what_memory_has_dropped() -> None:
    """A search would take a trace's late rest for the whole."""
    archive = Archive()
    store = SpanStore(MemoryJournal(), Limits(max_spans=3), archive=archive)
    for i in range(1, 5):  # the fourth drops a second with two traces
        second = max(2, i)
        span = make_span(str(i), trace=str(i), start_ms=second * 100_000)
        store.write_spans([span])
    assert store.span_count == 2
    store.write_spans([make_span("5", trace="5", start_ms=50_000)])
    found = store.search(TraceSearch(start_ms=60_000))
    assert sorted(int(trace.trace_id, 16) for trace in found if trace.start_ms >= 60_000) == [
        *range(1, 5)
    ]


@pytest.mark.parametrize("backwards_ns", [1, 1_000_000, 2**62])
def test_a_span_that_ends_before_it_starts_is_kept(tmp_path: Path, backwards_ns: int) -> None:
    """With duration 0 and a mark, after a restart too; its child keeps its parent."""
    journal = FileJournal.open(tmp_path)
    parent = make_span("1", start_ms=1_000, duration_ms=30)
    fetch = replace(make_span("2", parent="1", start_ms=1_009), end_ns=1_009_000_000 - backwards_ns)
    child = make_span("3", parent="2", start_ms=1_009, duration_ms=1)
    assert SpanStore(journal).write_spans([child, fetch, parent]).accepted == 3
    store = SpanStore(journal)
    assert store.write_spans([fetch]).accepted == 1
    found = store.trace("a")
    assert [span.span_id[-1] for span in found] == ["1", "3", "2"]
    marked = found[2]
    mark = f"ended {backwards_ns} ns before it started; kept with duration 0"
    assert (marked.duration_ns, marked.attributes) == (0, {ADJUSTED: mark})
    (summary,) = store.search(TraceSearch())
    assert (summary.span_count, summary.duration_ms) == (3, 30.0)
    journal.close()


def test_many_threads_write_and_read_at_once() -> None:
    """Nothing is lost, counted twice or torn while searches and evictions go on."""
    store = SpanStore(MemoryJournal(), Limits(max_spans=100_000))

    def write(writer: int) -> int:
        accepted = 0
        for i in range(200):
            trace = f"{writer}{i:03d}"
            spans = [make_span(str(k), trace=trace, start_ms=1_000 + i) for k in range(1, 4)]
            accepted += store.write_spans(spans).accepted
            store.search(TraceSearch(service="gateway", limit=3))
            store.edges(0, 10_000)
        return accepted

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 2_400
    assert store.span_count == 2_400
    assert all(t.span_count == 3 for t in store.search(TraceSearch(limit=1_000)))
