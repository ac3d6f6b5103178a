"""Edges between services, from spans in any order of arrival."""

from itertools import permutations

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

ENTRY = make_span("1", service="gateway", kind=SpanKind.SERVER, duration_ms=100)
CALL = make_span(
    "2", parent="1", service="gateway", kind=SpanKind.CLIENT, start_ms=1_010, duration_ms=80
)
SERVED = make_span(
    "3",
    parent="2",
    service="playback",
    kind=SpanKind.SERVER,
    start_ms=1_020,
    duration_ms=60,
    error=True,
)
QUERY = make_span(
    "4",
    parent="3",
    service="playback",
    kind=SpanKind.CLIENT,
    start_ms=1_030,
    duration_ms=20,
    attributes={"db.system.name": "postgresql", "db.namespace": "licences"},
)
OUTSIDE = make_span(
    "5",
    parent="3",
    service="playback",
    kind=SpanKind.CLIENT,
    start_ms=1_040,
    attributes={"service.peer.name": "drm"},
)


def edges_of(*spans: Span) -> dict[tuple[str, str], tuple[float, float, float, float]]:
    store = SpanStore(MemoryJournal())
    for span in spans:
        store.write_spans([span])
    return {
        (e.client, e.server): (e.calls, e.errors, e.p50_ms, e.server_p50_ms)
        for e in store.edges(0, 10_000_000)
    }


@pytest.mark.parametrize("order", list(permutations((ENTRY, CALL, SERVED, QUERY))))
def test_edges_do_not_depend_on_the_order(order: tuple[Span, ...]) -> None:
    """The map would depend on which span arrived first."""
    assert edges_of(*order) == {
        ("user", "gateway"): (1, 0, 100.0, 100.0),
        ("gateway", "playback"): (1, 1, 80.0, 60.0),
        ("playback", "licences"): (1, 0, 20.0, 20.0),
    }


def test_a_client_waits_for_its_server() -> None:
    """An unanswered call is drawn to its peer only after the wait."""
    assert ("playback", "drm") not in edges_of(OUTSIDE)
    later = make_span("9", trace="b", start_ms=60_000)
    assert edges_of(OUTSIDE, later)["playback", "drm"] == (1, 0, 10.0, 10.0)


def test_a_caller_without_client_spans_still_counts() -> None:
    """The parent in another service is the caller, the callee's own time the latency."""
    parent = make_span("1", service="viewers", duration_ms=5_000)
    served = make_span("2", parent="1", service="edge", kind=SpanKind.SERVER, duration_ms=7)
    for order in ((parent, served), (served, parent)):
        assert edges_of(*order) == {("viewers", "edge"): (1, 0, 7.0, 7.0)}


def test_only_calls_within_the_range_count() -> None:
    """The map of an outage would show the calls of the hour before."""
    store = SpanStore(MemoryJournal())
    for i in range(10):
        start_ms = 1_000 * (i + 1)
        call = make_span(
            "1", trace=str(i), kind=SpanKind.CLIENT, start_ms=start_ms, duration_ms=i + 1
        )
        served = make_span(
            "2", trace=str(i), parent="1", service="auth", kind=SpanKind.SERVER, start_ms=start_ms
        )
        store.write_spans([call, served])
    (edge,) = store.edges(3_000, 6_999)
    assert (edge.client, edge.server, edge.calls) == ("gateway", "auth", 4)
    assert edge.p50_ms == 4.0
    assert edge.p99_ms == 6.0
