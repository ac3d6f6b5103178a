"""A trace larger than the bound keeps what tells most of it, and says what it lacks."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.api.traces import trace_content
from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.host.journal import FileJournal, MemoryJournal
from collectors.limits import Limits
from collectors.model import Span, SpanKind
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.history.span_keeper import SpanKeeper
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

NOW_MS = 1_700_000_000_000
BOUND = 200
LIMITS = Limits(max_trace_spans=BOUND)


def large_trace() -> list[Span]:
    """Return 1,000 spans: a root, ten steps in series, one of them failing deep down, and rows."""
    root = make_span("f00d", name="nightly", service="batch", start_ms=NOW_MS, duration_ms=10_000)
    steps = [
        make_span(
            f"a{n}", parent="f00d", name=f"step {n}", start_ms=NOW_MS + 1_000 * n, duration_ms=999
        )
        for n in range(10)
    ]
    failing = [
        make_span("b0", parent="a3", name="outer", start_ms=NOW_MS + 3_010, duration_ms=4),
        make_span("b1", parent="b0", name="inner", start_ms=NOW_MS + 3_011, duration_ms=2),
        make_span(
            *("b2",),
            parent="b1",
            name="failing",
            start_ms=NOW_MS + 3_012,
            duration_ms=0.5,
            error=True,
        ),
    ]
    rows = [
        make_span(
            f"c{n:03x}",
            parent=f"a{n % 10}",
            name="row",
            service="rows",
            kind=SpanKind.CLIENT,
            start_ms=NOW_MS + 1_000 * (n % 10) + 20 + n % 7,
            duration_ms=1 + n % 5,
        )
        for n in range(1_000 - 14)
    ]
    return [*rows, *failing, *steps, root]


TRACE = large_trace()


def orders() -> dict[str, list[Span]]:
    shuffled = TRACE.copy()
    random.Random(3).shuffle(shuffled)
    return {"root last": TRACE, "root first": TRACE[::-1], "shuffled": shuffled}


@pytest.mark.parametrize("order", orders())
@pytest.mark.parametrize("at_once", [7, 90, 1_000])
def test_root_errors_and_critical_path_are_kept(order: str, at_once: int) -> None:
    """However the spans come: the rest is dropped, counted, and told in words."""
    store = SpanStore(MemoryJournal(), LIMITS)
    spans = orders()[order]
    for at in range(0, len(spans), at_once):
        part = spans[at : at + at_once]
        assert store.write_spans(part).accepted == len(part)
        assert store.span_count <= BOUND
    read = store.read(TRACE[0].trace_id)
    names = [span.name for span in read.spans]
    telling = {"nightly", "failing", *(f"step {n}" for n in range(10))}
    # What led to an error is known as such only if the error comes first, as it does from SDKs.
    telling |= set() if order == "shuffled" else {"outer", "inner"}
    assert telling <= set(names)
    assert len(names) + read.dropped == 1_000
    content = trace_content("a", read.spans, read.dropped)
    assert content["dropped_spans"] == read.dropped
    assert str(content["incomplete"]).startswith(f"{read.dropped} of 1000 spans are left out")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TraceSearch(service="batch", operation="nightly"), True),
        (TraceSearch(error=True), True),
        (TraceSearch(operation="failing", error=True), True),
        (TraceSearch(service="rows"), True),
        (TraceSearch(min_duration_ms=10_000), True),
        (TraceSearch(min_duration_ms=10_001), False),
    ],
)
def test_search_still_finds_it(wanted: TraceSearch, found: bool) -> None:
    """By its root and by its error; the summary counts every span that there was."""
    store = SpanStore(MemoryJournal(), LIMITS)
    store.write_spans(TRACE)
    summaries = store.search(wanted)
    assert bool(summaries) is found
    for summary in summaries:
        assert (summary.root_service, summary.root_name) == ("batch", "nightly")
        assert (summary.span_count, summary.error_count) == (1_000, 1)
        assert summary.dropped_spans == 1_000 - store.span_count
        assert (summary.start_ms, summary.duration_ms) == (NOW_MS, 10_000)


def test_repeats_of_kept_and_of_dropped_spans_change_nothing() -> None:
    """A client that retries a request must not make the trace longer than it was."""
    store = SpanStore(MemoryJournal(), LIMITS)
    store.write_spans(TRACE)
    before = store.read(TRACE[0].trace_id)
    assert store.write_spans(TRACE).accepted == 1_000
    assert store.read(TRACE[0].trace_id) == before


def test_a_late_error_is_kept() -> None:
    """What comes after the cut counts as much as what came before."""
    store = SpanStore(MemoryJournal(), LIMITS)
    store.write_spans(TRACE)
    late = make_span(
        *("e0",), parent="a5", name="late", start_ms=NOW_MS + 5_500, duration_ms=0.1, error=True
    )
    store.write_spans([late])
    more = [make_span(f"d{n:03x}", parent="a6", start_ms=NOW_MS + 6_500) for n in range(300)]
    store.write_spans(more)
    (summary,) = store.search(TraceSearch(operation="late", error=True))
    assert (summary.span_count, summary.error_count) == (1_301, 2)


def test_more_errors_than_there_is_room_for() -> None:
    """The bound holds; every error is counted, the root and the longest failures stay."""
    store = SpanStore(MemoryJournal(), LIMITS)
    root = make_span("f00d", name="root", start_ms=NOW_MS, duration_ms=2_000)
    failed = [
        make_span(
            *(f"{n + 1:x}",),
            parent="f00d",
            name=f"{n}",
            start_ms=NOW_MS + n,
            duration_ms=1 + n,
            error=True,
        )
        for n in range(900)
    ]
    store.write_spans([*failed, root])
    (summary,) = store.search(TraceSearch(error=True))
    assert (summary.root_name, summary.span_count, summary.error_count) == ("root", 901, 900)
    names = {span.name for span in store.read(root.trace_id).spans}
    assert {"root", "899", "898", "897"} <= names
    assert len(names) <= BOUND


def test_the_service_map_counts_dropped_calls_once() -> None:
    """Calls of spans that had to go are neither forgotten nor made up."""
    root = make_span("f00d", service="front", kind=SpanKind.SERVER, start_ms=NOW_MS)
    calls = [
        make_span(
            *(f"{n + 1:x}",),
            parent=parent,
            service=service,
            kind=kind,
            start_ms=NOW_MS + n,
            duration_ms=duration_ms,
        )
        for n in range(300)
        for parent, service, kind, duration_ms in (
            ("f00d", "front", SpanKind.CLIENT, 9 + n % 3),
            ("f00d", "stock", SpanKind.SERVER, 5),
        )
    ]
    store = SpanStore(MemoryJournal(), Limits(max_trace_spans=50))
    for at in range(0, len(calls), 40):
        store.write_spans(calls[at : at + 40])
    store.write_spans([root])
    for later_ms in (0, 60_000):
        after = make_span("1", trace="b", start_ms=NOW_MS + later_ms)
        store.write_spans([after])
        edges = {(e.client, e.server): e.calls for e in store.edges(0, NOW_MS + 10**6)}
        assert edges == {("user", "front"): 1, ("front", "stock"): 300}


def test_history_answers_a_large_trace_cut(tmp_path: Path) -> None:
    """It has all of it; the answer has as much as memory would keep, and tells the rest."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    history = SpanHistory(engine, max_trace_spans=BOUND)
    history.insert_spans(TRACE)
    history.insert_spans(TRACE[:10])
    read = history.read(TRACE[0].trace_id)
    assert (len(read.spans), read.dropped) == (BOUND, 1_000 - BOUND)
    names = {span.name for span in read.spans}
    assert {"nightly", "outer", "inner", "failing", *(f"step {n}" for n in range(10))} <= names
    (summary,) = history.search(TraceSearch(start_ms=0, error=True))
    assert (summary.root_name, summary.span_count, summary.error_count) == ("nightly", 1_000, 1)
    assert (summary.duration_ms, summary.dropped_spans) == (10_000, 1_000 - BOUND)
    engine.close()


def test_memory_and_history_join_into_one_answer(tmp_path: Path) -> None:
    """A trace that is partly in memory again is still within the bound, and its count right."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    journal, clock = MemoryJournal(), ManualClock(NOW_MS)
    keeper = SpanKeeper(
        SpanHistory(engine, max_trace_spans=BOUND), journal, clock, retention_ms=10**12
    )
    store = SpanStore(journal, LIMITS, clock=clock, archive=keeper)
    store.write_spans(TRACE)
    keeper.flush()
    clock.advance_ms(3 * 3_600_000)
    late = make_span("e0", trace="a", name="late", start_ms=clock.now_ms(), error=True)
    store.write_spans([late])
    keeper.flush()
    read = store.read(TRACE[0].trace_id)
    assert (len(read.spans), read.dropped) == (BOUND, 1_001 - BOUND)
    assert {"nightly", "failing", "late"} <= {span.name for span in read.spans}
    store.close()
    engine.close()


WRITER = """
import os, sys
from pathlib import Path
from collectors.host.journal import FileJournal
from collectors.limits import Limits
from collectors.traces.store import SpanStore
from tests.collectors.traces.test_large_traces import LIMITS, TRACE

store = SpanStore(FileJournal.open(Path(sys.argv[1])), LIMITS)
for at in range(0, len(TRACE), 50):
    store.write_spans(TRACE[at : at + 50])
    os.write(1, b"%d\\n" % (at + 50))
sys.stdin.read()
"""


@pytest.mark.parametrize("acknowledged", [150, 400, 1_000])
def test_a_cut_trace_survives_kill_9(tmp_path: Path, acknowledged: int) -> None:
    """What was dropped before the kill is counted after it, and a resend is known as one."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    while int(next(line for line in writer.stdout if line.strip().isdigit())) < acknowledged:
        pass
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()

    journal = FileJournal.open(tmp_path)
    store = SpanStore(journal, LIMITS)
    read = store.read(TRACE[0].trace_id)
    assert len(read.spans) + read.dropped >= acknowledged
    store.write_spans(TRACE)
    (summary,) = store.search(TraceSearch(error=True))
    assert (summary.root_name, summary.span_count, summary.error_count) == ("nightly", 1_000, 1)
    journal.close()
