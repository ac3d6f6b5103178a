"""Search conditions, read as a table."""

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import SpanKind
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span


@pytest.fixture(scope="module")
def store() -> SpanStore:
    """Three traces: 1 fast, 2 slow in the database, 3 failed in playback."""
    store = SpanStore(MemoryJournal())
    for trace, start_ms, slow_ms, error in (
        ("1", 1_000, 5, False),
        ("2", 2_000, 500, False),
        ("3", 3_000, 5, True),
    ):
        attributes = {"http.response.status_code": 503 if error else 200, "member": trace}
        store.write_spans(
            [
                make_span(
                    "3",
                    trace=trace,
                    parent="2",
                    name="query",
                    service="playback",
                    kind=SpanKind.CLIENT,
                    start_ms=start_ms + 2,
                    duration_ms=slow_ms,
                ),
                make_span(
                    "2",
                    trace=trace,
                    parent="1",
                    name="play",
                    service="playback",
                    error=error,
                    attributes=attributes,
                    start_ms=start_ms + 1,
                    duration_ms=slow_ms + 2,
                ),
                make_span("1", trace=trace, start_ms=start_ms, duration_ms=slow_ms + 10),
            ]
        )
    return store


@pytest.mark.parametrize(
    ("wanted", "traces"),
    [
        ({}, "321"),
        ({"limit": 2}, "32"),
        ({"limit": 0}, ""),
        ({"limit": -1}, ""),
        ({"service": "playback"}, "321"),
        ({"service": "nobody"}, ""),
        ({"operation": "play"}, "321"),
        ({"service": "gateway", "operation": "play"}, ""),
        ({"error": True}, "3"),
        ({"service": "gateway", "error": True}, ""),
        ({"service": "playback", "error": True}, "3"),
        ({"min_duration_ms": 100}, "2"),
        ({"max_duration_ms": 100}, "31"),
        ({"operation": "query", "max_duration_ms": 6}, "31"),
        ({"operation": "query", "min_duration_ms": 500}, "2"),
        ({"operation": "query", "min_duration_ms": 500.1}, ""),
        ({"start_ms": 2_000}, "32"),
        ({"end_ms": 2_000}, "21"),
        ({"start_ms": 2_000, "end_ms": 2_000}, "2"),
        ({"tags": {"http.response.status_code": "503"}}, "3"),
        ({"tags": {"member": "2", "http.response.status_code": "200"}}, "2"),
        ({"tags": {"service.name": "gateway"}}, "321"),
        ({"tags": {"member": "2"}, "operation": "query"}, ""),
    ],
)
def test_search(store: SpanStore, wanted: dict[str, object], traces: str) -> None:
    """Newest first; conditions on a span hold for one and the same span."""
    found = store.search(TraceSearch(**wanted))  # type: ignore[arg-type]
    assert "".join(t.trace_id.lstrip("0") for t in found) == traces


def test_the_summary_names_root_and_services(store: SpanStore) -> None:
    """A list of traces would not say what each was about."""
    summary = store.search(TraceSearch(error=True))[0]
    assert (summary.root_service, summary.root_name) == ("gateway", "op")
    assert summary.services == ("gateway", "playback")
    assert (summary.span_count, summary.error_count) == (3, 1)
    assert (summary.start_ms, summary.duration_ms) == (3_000, 15.0)
