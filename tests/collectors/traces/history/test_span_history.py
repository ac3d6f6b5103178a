"""Spans in history: what was inserted is found again, in the exporter's columns."""

from collections.abc import Iterator

import pytest

from collectors.history.engine import HistoryEngine
from collectors.model import Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch

START_NS = 1_700_000_000_123_456_789


def span(number: int, **changes: object) -> Span:
    """Make span ``number`` of trace ``number // 10``."""
    fields: dict[str, object] = {
        "trace_id": f"{number // 10:032x}",
        "span_id": f"{number:016x}",
        "parent_span_id": "" if number % 10 == 0 else f"{number - 1:016x}",
        "name": f"GET /{number % 10}",
        "kind": SpanKind.SERVER,
        "start_ns": START_NS + number * 1_000_000_000,
        "end_ns": START_NS + number * 1_000_000_000 + 5_000_000 * (number + 1),
        "status": SpanStatus.UNSET,
        "status_message": "",
        "service": "gateway" if number % 10 == 0 else "it's\\auth",
        "resource": {"cloud.region": "us-east-1"},
        "attributes": {"http.status": 200, "ok": True},
    }
    return Span(**(fields | changes))  # type: ignore[arg-type]


SPANS = [
    span(10),
    span(11, status=SpanStatus.ERROR, status_message="boom"),
    span(
        20,
        events=(SpanEvent(name="retry", time_ns=START_NS + 7, attributes={"n": "1"}),),
        links=(SpanLink(trace_id="a" * 32, span_id="b" * 16, attributes={"why": "batch"}),),
        trace_state="k=v",
        scope_name="lib",
        scope_version="1.2",
    ),
]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpanHistory]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('spans')}")
    history = SpanHistory(engine)
    history.insert_spans(SPANS)
    history.insert_spans(SPANS[:1])
    yield history
    engine.close()


def test_a_trace_comes_back_as_it_was(history: SpanHistory) -> None:
    """A trace from history would lack events, links or attributes."""
    (found,) = history.read(SPANS[2].trace_id).spans
    expected = span(
        20,
        events=SPANS[2].events,
        links=SPANS[2].links,
        trace_state="k=v",
        scope_name="lib",
        scope_version="1.2",
        attributes={"http.status": "200", "ok": "true"},
    )
    assert found == expected


def test_a_span_written_twice_is_one(history: SpanHistory) -> None:
    """A retry would show a span twice."""
    assert [s.span_id for s in history.read(SPANS[0].trace_id).spans] == [
        s.span_id for s in SPANS[:2]
    ]
    assert history.read("0" * 32).spans == ()


@pytest.mark.parametrize(
    ("search", "traces"),
    [
        (TraceSearch(), [2, 1]),
        (TraceSearch(service="it's\\auth"), [1]),
        (TraceSearch(operation="GET /0"), [2, 1]),
        (TraceSearch(error=True), [1]),
        (TraceSearch(service="gateway", min_duration_ms=100), [2]),
        (TraceSearch(max_duration_ms=1_000), [2]),
        (TraceSearch(start_ms=START_NS // 1_000_000 + 15_000), [2]),
        (TraceSearch(end_ms=START_NS // 1_000_000 + 15_000), [1]),
        (TraceSearch(tags={"cloud.region": "us-east-1", "ok": "true"}), [2, 1]),
        (TraceSearch(tags={"ok": "false"}), []),
        (TraceSearch(limit=1), [2]),
    ],
)
def test_search_finds_traces(history: SpanHistory, search: TraceSearch, traces: list[int]) -> None:
    """The trace that explains an outage would not be found in history."""
    assert [int(s.trace_id, 16) for s in history.search(search)] == traces


def test_a_summary_tells_of_errors_and_services(history: SpanHistory) -> None:
    """A list of traces would not say which failed, and where."""
    (summary,) = history.search(TraceSearch(error=True))
    assert (summary.span_count, summary.error_count) == (2, 1)
    assert summary.services == ("gateway", "it's\\auth")
