"""Two halves of a call with one span id (B3: Zipkin, Envoy, Sleuth) stay two, in any order."""

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.api.traces import trace_content
from collectors.history.engine import HistoryEngine
from collectors.host.journal import FileJournal, MemoryJournal
from collectors.model import Span, SpanKind
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span
from collectors.traces.tree.critical_path import time_on_path
from collectors.traces.tree.lineage import lineage_of

FRONT = make_span("1", service="front", kind=SpanKind.SERVER, duration_ms=100, name="GET /")
CALLER = make_span(
    *("2",),
    parent="1",
    service="front",
    kind=SpanKind.CLIENT,
    start_ms=1_010,
    duration_ms=80,
)
ANSWER = make_span(
    *("2",),
    parent="1",
    service="stock",
    kind=SpanKind.SERVER,
    start_ms=1_020,
    duration_ms=60,
    error=True,
)
SECOND_ANSWER = make_span(  # a load balancer sent the same request to another instance
    *("2",),
    parent="1",
    service="stock",
    kind=SpanKind.SERVER,
    start_ms=1_025,
    duration_ms=20,
    resource={"service.name": "stock", "host.name": "b"},
)
QUERY = make_span(
    *("3",),
    parent="2",
    service="stock",
    kind=SpanKind.CLIENT,
    start_ms=1_030,
    duration_ms=40,
    attributes={"db.system.name": "mysql"},
)
THIRD = make_span(  # its caller records no client spans
    *("4",), parent="2", service="price", kind=SpanKind.SERVER, start_ms=1_071, duration_ms=5
)
CONNECT = make_span("5", parent="2", service="front", start_ms=1_011, duration_ms=3)
TRACE = (FRONT, CALLER, ANSWER, QUERY, THIRD, CONNECT)


def parents(spans: tuple[Span, ...]) -> dict[tuple[str, str], tuple[str, str] | None]:
    """Return each span's parent, both as last digit of the id and service."""

    def name(span: Span) -> tuple[str, str]:
        return span.span_id[-1], span.service

    lineage = lineage_of(spans)
    return {
        name(span): name(spans[above]) if above >= 0 else None
        for span, above in zip(spans, lineage.parent, strict=True)
    }


@pytest.mark.parametrize("turn", range(len(TRACE)))
def test_every_span_finds_its_half(turn: int) -> None:
    """The callee's half hangs under the caller's; children under the half of their service."""
    spans = TRACE[turn:] + TRACE[:turn]
    assert parents(spans) == {
        ("1", "front"): None,
        ("2", "front"): ("1", "front"),
        ("2", "stock"): ("2", "front"),
        ("3", "stock"): ("2", "stock"),
        ("4", "price"): ("2", "stock"),
        ("5", "front"): ("2", "front"),
    }


@pytest.mark.parametrize("kept", ["", "1"])
def test_a_server_that_was_not_told_its_parent_still_has_one(kept: str) -> None:
    """Some libraries do not propagate the parent's id; the shared id is enough."""
    answer = make_span("2", parent=kept, service="stock", kind=SpanKind.SERVER, start_ms=1_020)
    assert parents((FRONT, CALLER, answer))["2", "stock"] == ("2", "front")


@pytest.mark.parametrize("order", list(permutations((FRONT, CALLER, ANSWER, QUERY))))
def test_the_map_has_the_edge_whatever_comes_first(order: tuple[Span, ...]) -> None:
    """A call between two services would be missing from the map, depending on who reports first."""
    store = SpanStore(MemoryJournal())
    for span in order:
        store.write_spans([span])
    found = {(e.client, e.server): (e.calls, e.errors, e.p50_ms) for e in store.edges(0, 10**9)}
    assert found == {
        ("user", "front"): (1, 0, 100.0),
        ("front", "stock"): (1, 1, 80.0),
        ("stock", "mysql"): (1, 0, 40.0),
    }


def test_two_servers_that_answer_one_client_are_two_calls() -> None:
    """A second call under the same id would not be counted."""
    store = SpanStore(MemoryJournal())
    store.write_spans([FRONT, SECOND_ANSWER, CALLER, ANSWER])
    found = {(e.client, e.server): e.calls for e in store.edges(0, 10**9)}
    assert found["front", "stock"] == 2
    assert store.span_count == 4


def test_repeats_of_either_half_change_nothing(tmp_path: Path) -> None:
    """In one request, in a later one, and after a restart."""
    journal = FileJournal.open(tmp_path)
    store = SpanStore(journal)
    store.write_spans([CALLER, ANSWER, CALLER, ANSWER, SECOND_ANSWER])
    assert store.write_spans([ANSWER, CALLER, SECOND_ANSWER]).accepted == 3
    assert store.span_count == 3
    journal.close()
    reopened = FileJournal.open(tmp_path)
    again = SpanStore(reopened)
    assert again.span_count == 3
    assert again.write_spans([CALLER, SECOND_ANSWER]).accepted == 2
    assert again.span_count == 3
    reopened.close()


def test_search_finds_either_half() -> None:
    """A search for the server's half would miss the trace, as the client's has the same id."""
    store = SpanStore(MemoryJournal())
    store.write_spans(TRACE)
    for wanted in (
        TraceSearch(service="stock", error=True),
        TraceSearch(service="front", min_duration_ms=80, max_duration_ms=80),
    ):
        (found,) = store.search(wanted)
        assert (found.root_name, found.span_count, found.error_count) == ("GET /", 6, 1)


def test_history_keeps_both_halves(tmp_path: Path) -> None:
    """Read back, summed up, and known as written already."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    history = SpanHistory(engine)
    history.insert_spans(TRACE)
    history.insert_spans([ANSWER])
    assert history.missing([*TRACE, SECOND_ANSWER]) == [SECOND_ANSWER]
    found = history.read(FRONT.trace_id).spans
    assert [(s.span_id[-1], s.service) for s in found[:4]] == [
        *(("1", "front"), ("2", "front"), ("5", "front"), ("2", "stock"))
    ]
    assert len(found) == 6
    (summary,) = history.search(TraceSearch(start_ms=0, service="stock", error=True))
    assert (summary.span_count, summary.error_count) == (6, 1)
    engine.close()


def test_the_answer_tells_parents_and_the_path_of_both_halves() -> None:
    """Ids alone would make one bar of two; the path's times add up to the trace's duration."""
    content = trace_content("a", TRACE)
    spans: list[dict[str, object]] = content["spans"]  # type: ignore[assignment] # JSON
    rows = [(s["service"], s["parent"], s["self_ms"], s["critical_ms"]) for s in spans]
    assert rows == [
        ("front", None, 20.0, 20.0),
        ("front", 0, 17.0, 17.0),
        ("front", 1, 3.0, 3.0),
        ("stock", 1, 15.0, 15.0),
        ("stock", 3, 40.0, 40.0),
        ("price", 3, 5.0, 5.0),
    ]
    own_ns = time_on_path(TRACE)
    assert sum(own_ns.values()) == FRONT.duration_ns


ids = st.integers(0, 3).map(lambda n: f"{n:x}")


@given(
    st.lists(
        st.builds(
            make_span,
            ids,
            parent=ids | st.just(""),
            service=st.sampled_from(("a", "b")),
            kind=st.sampled_from(SpanKind),
            start_ms=st.integers(1, 9),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_spans_make_a_forest(spans: list[Span]) -> None:
    """Circles, own parents and repeats included, each span is in exactly one tree."""
    lineage = lineage_of(spans)
    reached = [at for root in lineage.roots for at in lineage.below(root)]
    assert sorted(reached) == list(range(len(spans)))
    assert lineage.main_root() in lineage.roots
    for at, above in enumerate(lineage.parent):
        assert (above < 0) == (at in lineage.roots)
        assert above < 0 or at in lineage.children[above]
