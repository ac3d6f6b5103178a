"""Acknowledged spans reach history by themselves, once, and are found again after memory."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.host.journal import FileJournal, MemoryJournal
from collectors.limits import Limits
from collectors.model import Span, SpanEvent
from collectors.traces.held_trace import TraceSpans
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.history.span_keeper import SpanKeeper
from collectors.traces.history.span_rows import NEWEST_NS
from collectors.traces.search import TraceSearch, TraceSummary
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

NOW_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NEVER = 400 * DAY_MS


class Unreliable(SpanHistory):
    """A history that can be told to fail, before or after it has carried out an insert."""

    refuses = False
    forgets_to_answer = False

    def insert_spans(self, spans: Sequence[Span]) -> None:
        """Insert, unless told to fail."""
        if self.refuses:
            raise StorageError("history is away")
        super().insert_spans(spans)
        if self.forgets_to_answer:
            raise StorageError("history did not answer")

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        """Search, unless told to fail."""
        if self.refuses:
            raise StorageError("history is away")
        return super().search(wanted)

    def read(self, trace_id: str) -> TraceSpans:
        """Return a trace, unless told to fail."""
        if self.refuses:
            raise StorageError("history is away")
        return super().read(trace_id)

    def rows(self) -> int:
        """Return how many rows there are, repeated ones too."""
        ((count,),) = self._engine.columns(f"SELECT count() FROM {self._table}")
        return int(count)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryEngine]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('spans')}")
    yield engine
    engine.close()


@pytest.fixture
def history(engine: HistoryEngine) -> Unreliable:
    history = Unreliable(engine)
    for table in ("otel_traces", "otel_traces_trace_id_ts"):
        engine.command(f"TRUNCATE TABLE {engine.database}.{table}")
    return history


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS)


def keeper_of(
    history: SpanHistory, journal: MemoryJournal | FileJournal, clock: ManualClock, **kwargs: int
) -> SpanKeeper:
    """Return a keeper that works only when told to."""
    return SpanKeeper(history, journal, clock, retention_ms=NEVER, interval_s=None, **kwargs)


def traces(first: int, count: int, start_ms: int = NOW_MS) -> list[Span]:
    """Return ``count`` traces of two spans, a second apart; the numbers are their ids."""
    return [
        make_span(
            f"{n:x}{child}",
            trace=f"{n:x}",
            parent=f"{n:x}0" if child else "",
            start_ms=start_ms + 1_000 * (n - first) + child,
            duration_ms=100 - child,
            service="auth" if child else "gateway",
            error=bool(child) and n % 3 == 0,
            attributes={"n": n, "list": ["a", 1]},
        )
        for n in range(first, first + count)
        for child in (0, 1)
    ]


def ids(found: Sequence[TraceSummary]) -> list[int]:
    return [int(trace.trace_id, 16) for trace in found]


def test_what_memory_drops_is_found_in_history(history: Unreliable, clock: ManualClock) -> None:
    """Search and trace by id go on into history; what both hold is answered once."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal, clock)
    store = SpanStore(journal, Limits(max_span_age_ms=HOUR_MS), clock=clock, archive=keeper)
    old, new = traces(1, 20), traces(101, 5, NOW_MS + 2 * HOUR_MS)
    assert store.write_spans(old).accepted == 40
    clock.set_ms(NOW_MS + 2 * HOUR_MS)
    store.write_spans(new)
    assert keeper.flush() == 50
    assert store.span_count == 10

    newest_first = [*range(105, 100, -1), *range(20, 0, -1)]
    assert ids(store.search(TraceSearch(limit=100))) == newest_first
    assert ids(store.search(TraceSearch(limit=7))) == newest_first[:7]
    assert ids(store.search(TraceSearch(error=True, limit=100))) == [105, 102, 18, 15, 12, 9, 6, 3]
    assert ids(store.search(TraceSearch(tags={"n": "7"}))) == [7]
    assert ids(store.search(TraceSearch(end_ms=NOW_MS + 1_000))) == [2, 1]
    assert [span.span_id for span in store.trace("7")] == [s.span_id for s in old[12:14]]
    assert len(store.trace(f"{103:x}")) == 2
    assert store.trace("fff") == ()
    store.close()


def test_a_trace_in_two_halves_is_put_together(history: Unreliable, clock: ManualClock) -> None:
    """A span that comes after its trace has left memory joins the rest again."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal, clock)
    store = SpanStore(journal, Limits(max_spans=2), clock=clock, archive=keeper)
    (parent, child), *others = [traces(1, 1), traces(2, 1, NOW_MS + 1_000)]
    store.write_spans([parent])
    for spans in others:
        store.write_spans(spans)
    store.write_spans([child])
    keeper.flush()
    assert [span.span_id for span in store.trace("1")] == [parent.span_id, child.span_id]
    (summary,) = [t for t in store.search(TraceSearch()) if int(t.trace_id, 16) == 1]
    assert summary.span_count == 2
    store.close()


def test_a_restart_writes_what_the_journal_alone_has(
    history: Unreliable, clock: ManualClock, tmp_path: Path
) -> None:
    """Killed before the flush: the next process writes the rest, and nothing twice."""
    journal = FileJournal.open(tmp_path)
    keeper = keeper_of(history, journal, clock)
    store = SpanStore(journal, clock=clock, archive=keeper)
    store.write_spans(traces(1, 10))
    keeper.flush()
    store.write_spans(traces(11, 10, NOW_MS + 10_000))
    journal.close()  # and nothing else: the process is gone

    clock.set_ms(NOW_MS + 5 * HOUR_MS)  # memory takes none of it any more
    reopened = FileJournal.open(tmp_path)
    keeper = keeper_of(history, reopened, clock)
    again = SpanStore(reopened, clock=clock, archive=keeper)
    assert again.span_count == 0
    assert keeper.flush() == 20
    assert keeper.flush() == 0
    assert history.rows() == 40
    assert ids(again.search(TraceSearch(limit=100))) == list(range(20, 0, -1))
    again.close()
    reopened.close()


@pytest.mark.parametrize("failure", ["refuses", "forgets_to_answer"])
def test_a_failing_history_loses_and_repeats_nothing(
    history: Unreliable, clock: ManualClock, failure: str
) -> None:
    """Spans are acknowledged all the while; each is written once when history is back."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal, clock, max_waiting=30)
    store = SpanStore(journal, clock=clock, archive=keeper)
    keeper.flush()
    setattr(history, failure, True)
    for n in range(1, 31, 5):  # sixty spans, twice as many as may wait
        assert store.write_spans(traces(n, 5)).accepted == 10
        with pytest.raises(StorageError):
            keeper.flush()
    setattr(history, failure, False)
    keeper.flush()
    assert history.rows() == 60
    assert keeper.flush() == 0
    store.close()


def test_reading_goes_on_while_history_is_away(history: Unreliable, clock: ManualClock) -> None:
    """Memory's part is answered; only a trace that nobody else could have is an error."""
    journal = MemoryJournal()
    store = SpanStore(journal, clock=clock, archive=keeper_of(history, journal, clock))
    store.write_spans(traces(1, 3))
    history.refuses = True
    assert ids(store.search(TraceSearch())) == [3, 2, 1]
    assert len(store.trace("2")) == 2
    with pytest.raises(StorageError, match="away"):
        store.trace("fff")
    history.refuses = False
    store.close()


def test_spans_are_written_in_the_background(history: Unreliable, clock: ManualClock) -> None:
    """Nobody has to ask: a thread writes what was offered."""
    written = threading.Event()

    class Telling(Unreliable):
        def insert_spans(self, spans: Sequence[Span]) -> None:
            super().insert_spans(spans)
            if spans:
                written.set()

    telling = Telling(history._engine)
    journal = MemoryJournal()
    keeper = SpanKeeper(telling, journal, clock, retention_ms=NEVER, interval_s=0.01)
    store = SpanStore(journal, clock=clock, archive=keeper)
    store.write_spans(traces(2, 2))
    assert written.wait(20)
    store.close()
    assert telling.rows() == 4


def test_closing_writes_what_waits(history: Unreliable, clock: ManualClock) -> None:
    """The last traces before a restart would be missing in history."""
    journal = MemoryJournal()
    keeper = keeper_of(history, journal, clock)
    keeper.flush()
    store = SpanStore(journal, clock=clock, archive=keeper)
    store.write_spans(traces(1, 4))
    store.close()
    assert history.rows() == 8


def test_old_days_are_dropped(history: Unreliable, clock: ManualClock) -> None:
    """Retention takes whole days, and the index of trace times with them."""
    keeper = SpanKeeper(history, MemoryJournal(), clock, retention_ms=2 * DAY_MS, interval_s=None)
    keeper.flush()
    for day in range(4):
        keeper.offer(traces(1 + day, 1, NOW_MS - day * DAY_MS))
    clock.advance_ms(DAY_MS)
    keeper.flush()
    assert history.rows() == 4
    assert history.read("3".rjust(32, "0")).spans == ()
    assert len(history.read("2".rjust(32, "0")).spans) == 2
    keeper.close()


def test_strange_times_do_not_stop_the_rest(history: Unreliable) -> None:
    """A sender may claim any time of an event and any end of a span."""
    span = make_span("1", start_ms=NOW_MS)
    fields = {name: getattr(span, name) for name in Span.__slots__}
    events = tuple(SpanEvent(name="e", time_ns=t, attributes={}) for t in (0, 2**63, 2**64 - 1))
    strange = Span(**(fields | {"end_ns": 2**64 - 1, "events": events, "trace_state": "\0'\\"}))
    history.insert_spans([strange, make_span("2", start_ms=NOW_MS)])
    found = history.read(span.trace_id).spans
    assert [s.span_id for s in found] == [f"{n:016x}" for n in (1, 2)]
    assert found[0].trace_state == "\0'\\"
    assert [event.time_ns for event in found[0].events] == [0, NEWEST_NS, NEWEST_NS]
    assert found[0].end_ns == found[0].start_ns + NEWEST_NS


@pytest.mark.parametrize("offset_ms", [0, 0.000001, 500.58, 999.999999])
def test_a_trace_within_one_second_is_found(history: Unreliable, offset_ms: float) -> None:
    """Wherever in the second it is, also when it is all that the day has."""
    trace = [make_span(f"{n}", start_ms=1_795_359_300_000 + offset_ms) for n in (1, 2)]
    history.insert_spans(trace)
    assert [found.span_id for found in history.read(trace[0].trace_id).spans] == [
        each.span_id for each in trace
    ]
