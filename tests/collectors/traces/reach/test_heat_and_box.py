"""Heat maps and boxes of spans: memory and history count alike."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.limits import Limits
from collectors.model import Span
from collectors.traces.heat import BOUNDS_NS, HeatMap, grid_of
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.history.span_keeper import SpanKeeper
from collectors.traces.reach.blocks import Reach
from collectors.traces.reach.comparison import compared
from collectors.traces.reach.heat import heat_map
from collectors.traces.search import Box, TraceSearch
from collectors.traces.sessions.funnel import funnel_of
from collectors.traces.sessions.listing import list_sessions
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span
from collectors.traces.traceql.parser import parse
from collectors.traces.traceql.query import Field, Scope

NOW_MS = 1_700_000_000_000
START_MS = NOW_MS - 600_000
MEMORY_MS = 300_000
GRID = grid_of(START_MS, NOW_MS, 10)
SLOW = Box(start_ms=START_MS, end_ms=NOW_MS, min_ms=1_000, max_ms=10_000)
MEANT = (
    TraceSearch(),
    TraceSearch(service="s1"),
    TraceSearch(error=True),
    TraceSearch(operation="op", min_duration_ms=50),
    TraceSearch(tags={"node": "n3"}),
    TraceSearch(box=SLOW),
)


def spans() -> list[Span]:
    """Return ten minutes of a service whose calls to node 3 are slow; every other is sampled."""
    made = []
    for number in range(600):
        node, slow = f"n{number % 5}", number % 5 == 3
        span = make_span(
            "1",
            trace=f"{number + 1:x}",
            service=f"s{number % 2}",
            start_ms=START_MS + number * 1_000,
            duration_ms=2_000 if slow else 0.004 * (number + 1),
            error=slow and number % 2 == 0,
            attributes={"node": node},
        )
        made.append(replace(span, trace_state="x=y,ot=rv:aa;th:8" if number % 2 else ""))
    return made


@pytest.fixture(name="stores", scope="module")
def _stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SpanStore, SpanStore]]:
    """A store that has all in memory, and one that has half of it in history alone."""
    clock = ManualClock(NOW_MS)
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('spans')}")
    journal = MemoryJournal()
    keeper = SpanKeeper(SpanHistory(engine), journal, clock, retention_ms=10**12, interval_s=None)
    whole = SpanStore(MemoryJournal(), clock=clock)
    halved = SpanStore(journal, Limits(max_span_age_ms=MEMORY_MS), clock=clock, archive=keeper)
    whole.write_spans(spans())
    halved.write_spans(spans())
    keeper.flush()
    yield whole, halved
    halved.close()
    engine.close()


@pytest.mark.parametrize("wanted", MEANT)
def test_memory_and_history_count_alike(
    stores: tuple[SpanStore, SpanStore], wanted: TraceSearch
) -> None:
    """A map would change its looks as its left half leaves memory."""
    (one, looked), (other, _) = (heat_map(store, wanted, GRID) for store in stores)
    assert stores[1].whole_from_ms() == NOW_MS - MEMORY_MS
    assert looked.from_ms == START_MS
    assert one.observed.sum() > 0
    np.testing.assert_allclose(one.counts, other.counts)
    np.testing.assert_allclose(one.errors, other.errors)
    np.testing.assert_array_equal(one.observed, other.observed)


def test_a_sampled_span_counts_for_as_many_as_it_stands_for(
    stores: tuple[SpanStore, SpanStore],
) -> None:
    """A sender that keeps half of its spans would seem to have half of the traffic."""
    found, _ = heat_map(stores[0], TraceSearch(), GRID)
    assert (found.observed.sum(), found.counts.sum()) == (600, 900)


def test_rows_are_half_open_and_cover_everything() -> None:
    """A span at a bound would count in two rows or in none."""
    found = HeatMap(grid_of(0, 10, 1))
    took = np.array([0, 999, 1_000, *BOUNDS_NS[2:], 10**15], dtype=np.float64)
    count = np.zeros(len(took), dtype=np.int64)
    found.add(count, took, np.ones(len(took)), count)
    assert found.observed[:, 0].tolist() == [2, *([1] * (len(BOUNDS_NS) - 2)), 2]


@pytest.mark.parametrize("which", [0, 1])
def test_a_box_is_held_against_the_rest_of_the_map(
    stores: tuple[SpanStore, SpanStore], which: int
) -> None:
    """What sets the slow ones apart would have to be guessed from the picture."""
    wanted = TraceSearch(box=SLOW, start_ms=START_MS, end_ms=NOW_MS)
    found = compared(stores[which], wanted)
    told = found.comparison
    assert (told.bad_observed, told.good_observed) == (120, 480)
    assert (told.bad_spans, told.good_spans) == (180, 720)
    first = told.differences[0]
    assert (first.key, first.value) == ("node", "n3")
    assert (first.bad_count, first.bad_share, first.good_count) == (180, 1, 0)
    assert found.looked.from_ms is not None
    assert found.looked.from_ms <= START_MS


def test_what_was_not_looked_at_is_said(stores: tuple[SpanStore, SpanStore]) -> None:
    """A map of half the time would look like half of it without any span."""
    asked = TraceSearch(query=parse("{ .node = `n3` }"))
    found, looked = heat_map(stores[1], asked, GRID)
    assert found.observed.sum() == 60
    assert looked.from_ms == NOW_MS - MEMORY_MS
    assert "TraceQL" in looked.notes[0]


def test_the_traces_of_a_box_are_found(stores: tuple[SpanStore, SpanStore]) -> None:
    """Whoever has chosen the slow ones could not open one of them."""
    wanted = TraceSearch(box=SLOW, start_ms=START_MS, limit=1_000)
    one, other = (store.search(wanted) for store in stores)
    assert len(one) == 120
    assert [trace.trace_id for trace in one] == [trace.trace_id for trace in other]


def test_a_query_is_held_against_older_traces_too(stores: tuple[SpanStore, SpanStore]) -> None:
    """What went wrong two hours ago could not be compared by a query."""
    wanted = TraceSearch(query=parse("{ duration > 1s }"), start_ms=START_MS, end_ms=NOW_MS)
    (one, other) = (compared(store, wanted) for store in stores)
    assert one.comparison == other.comparison
    assert one.comparison.differences[0].value == "n3"
    assert (other.looked.from_ms, other.looked.notes) == (START_MS, ())


def test_sessions_and_funnels_reach_into_history(stores: tuple[SpanStore, SpanStore]) -> None:
    """A session of this morning would not be in the list."""
    by = Field(Scope.ANY, "node", 1)
    lines, steps = [], []
    for store in stores:
        reach = Reach(store, START_MS, NOW_MS)
        lines.append(list_sessions(reach, by, 10))
        steps.append(funnel_of(Reach(store, START_MS, NOW_MS), ["op", "op"], by))
        assert (reach.looked.from_ms, reach.looked.notes) == (START_MS, ())
    assert [(line.session, line.traces) for line in lines[0]] == [
        (line.session, line.traces) for line in lines[1]
    ]
    assert len(lines[0]) == 5
    assert steps[0] == steps[1]


def test_how_far_into_history_is_bounded_and_said(
    stores: tuple[SpanStore, SpanStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question about a month would read a month, or look like an answer about it."""
    monkeypatch.setattr("collectors.traces.reach.blocks.MAX_OLD_SPANS", 100)
    monkeypatch.setattr("collectors.traces.history.span_history._TRACES_AT_ONCE", 50)
    reach = Reach(stores[1], START_MS, NOW_MS)
    assert sum(map(len, reach)) == 400
    assert reach.looked.from_ms == START_MS + 200_000
    assert "only the newest 100 spans" in reach.looked.notes[0]


def test_without_history_it_is_said(stores: tuple[SpanStore, SpanStore]) -> None:
    """What memory no longer holds would look like nothing at all."""
    reach = Reach(stores[0], START_MS - 1_000, NOW_MS)
    assert sum(map(len, reach)) == 600
    assert "no history is kept" in reach.looked.notes[0]
