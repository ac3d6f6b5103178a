"""What the edges of the service map carried, step by step."""

from __future__ import annotations

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

Told = dict[tuple[str, str], tuple[list[float], list[float], list[float]]]


def _traffic(spans: list[Span], start_ms: int, end_ms: int, step_ms: int) -> Told:
    store = SpanStore(MemoryJournal())
    store.write_spans(spans)
    return {
        (one.client, one.server): (one.calls.tolist(), one.seconds.tolist(), one.errors.tolist())
        for one in store.traffic(start_ms, end_ms, step_ms)
    }


def _request(number: int, start_ms: int, duration_ms: int, *, error: bool = False) -> Span:
    return make_span(
        str(number),
        trace=str(number),
        service="shop",
        kind=SpanKind.SERVER,
        start_ms=start_ms,
        duration_ms=duration_ms,
        error=error,
    )


def test_calls_are_counted_where_they_began() -> None:
    """Steps begin at the start asked for; empty ones count nothing, half ones are left out."""
    spans = [
        _request(1, 10_000, 500),
        _request(2, 14_999, 500, error=True),
        _request(3, 20_000, 9_000),
        _request(4, 9_999, 1),
        _request(5, 25_000, 1),
        _request(6, 27_000, 1),
    ]
    found = _traffic(spans, 10_000, 27_000, 5_000)
    assert found.keys() == {("user", "shop")}
    calls, seconds, errors = found["user", "shop"]
    assert (calls, errors) == ([2.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    assert seconds == pytest.approx([1.0, 0.0, 9.0])


def test_nothing_was_called() -> None:
    """An empty store has no edges."""
    assert _traffic([], 0, 10_000, 1_000) == {}


def test_regions_are_told_apart_where_a_tag_says_so() -> None:
    """What fails in one region would hardly show among the calls of all."""
    store = SpanStore(MemoryJournal())
    for number, region in enumerate(("north", "south", "south"), 1):
        store.write_spans(
            [
                make_span(
                    str(number), trace=str(number), service="shop", kind=SpanKind.SERVER,
                    start_ms=10_000, resource={"cloud.region": region},
                )
            ]
        )  # fmt: skip
    found = {one.place: one.calls.tolist() for one in store.traffic(10_000, 15_000, 5_000)}
    assert found == {"north": [1.0], "south": [2.0]}
    (edge,) = store.edges(10_000, 15_000)
    assert edge.calls == 3.0
