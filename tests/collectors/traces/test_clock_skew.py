"""Clock-skew correction at read time."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.model import AttributeValue, Span, SpanEvent
from collectors.traces.testing import make_span
from collectors.traces.tree.clock_skew import ADJUSTED, NOT_ADJUSTED, adjust_clock_skew

HOUR_NS = 3_600_000_000_000


def on(host: str, span_id: str, parent: str, start_ms: float, duration_ms: float) -> Span:
    return make_span(
        span_id,
        parent=parent,
        start_ms=start_ms,
        duration_ms=duration_ms,
        resource={"host.name": host} if host else {},
    )


@pytest.mark.parametrize(
    ("host", "start_ms", "duration_ms", "expected_ms"),
    [
        ("b", 1_010, 50, 1_010),  # fits
        ("b", 900, 50, 1_025),  # centred
        ("b", 1_090, 50, 1_025),  # ends late: centred
        ("b", 900, 200, 1_000),  # longer than its parent: only not earlier
        ("b", 1_050, 200, 1_050),
        ("a", 900, 50, 900),  # same host: believed
        ("", 900, 50, 900),  # unknown host: believed
        ("b", 900 - 2 * 3_600_000, 50, 900 - 2 * 3_600_000),  # too far to be skew
    ],
)
def test_child(host: str, start_ms: float, duration_ms: float, expected_ms: float) -> None:
    """A parent at 1,000 to 1,100 ms on host a, and its child."""
    spans = [on("a", "1", "", 1_000, 100), on(host, "2", "1", start_ms, duration_ms)]
    child = next(s for s in adjust_clock_skew(spans, HOUR_NS) if s.parent_span_id)
    assert child.start_ns / 1e6 == expected_ms
    assert child.duration_ns / 1e6 == duration_ms
    assert (ADJUSTED in child.attributes) == (expected_ms != start_ms)


def test_descendants_on_the_host_move_along() -> None:
    """Parts of one host's work would be drawn at different clocks."""
    spans = [
        on("a", "1", "", 1_000, 100),
        on("b", "2", "1", 500, 50),
        on("b", "3", "2", 510, 10),
    ]
    moved = adjust_clock_skew(spans, HOUR_NS)
    assert [s.start_ns / 1e6 for s in moved] == [1_000, 1_025, 1_035]


def test_a_span_of_a_third_host_does_not_stop_its_siblings() -> None:
    """Each host has a difference of its own; what one needs is not given to the next."""
    spans = [
        on("a", "1", "", 10, 100),
        on("b", "2", "1", 0, 50),
        on("c", "3", "2", 0, 10),
        on("b", "4", "2", 5, 10),
        on("b", "5", "2", 10, 10),
    ]
    moved = {span.span_id[-1]: span.start_ns / 1e6 for span in adjust_clock_skew(spans, HOUR_NS)}
    assert moved == {"1": 10, "2": 35, "3": 55, "4": 40, "5": 45}


def test_what_seems_off_by_too_much_is_marked() -> None:
    """A difference that is not believed must not look like a measurement either."""
    spans = [on("a", "1", "", 10, 100), on("b", "2", "1", 80, 50), on("b", "3", "2", 85, 5)]
    first, child, grandchild = adjust_clock_skew(spans, 10_000_000)
    assert NOT_ADJUSTED not in first.attributes
    assert (child.start_ns / 1e6, child.attributes) == (80, {NOT_ADJUSTED: -45_000_000})
    assert (grandchild.start_ns / 1e6, grandchild.attributes) == (85, {})


@pytest.mark.parametrize(
    ("here", "there", "corrected"),
    [
        ({"host.id": "1"}, {"host.id": "2"}, True),
        ({"host.id": "1", "host.name": "x"}, {"host.id": "1", "host.name": "y"}, False),
        ({"host.ip": ["10.0.0.1", "::1"]}, {"host.ip": ["10.0.0.1", "fe80::2"]}, False),
        ({"host.ip": ["10.0.0.1"]}, {"host.ip": "10.0.0.2"}, True),
        ({"host.ip": [], "host.name": "x"}, {"host.name": "y"}, False),
        ({"host.name": "x"}, {"host.name": "y"}, True),
        ({"host.name": "x"}, {}, False),
    ],
)
def test_hosts_are_told_apart(
    here: dict[str, AttributeValue], there: dict[str, AttributeValue], corrected: bool
) -> None:
    """By id, else by first address, else by name; where one is not known nothing is corrected."""
    spans = [
        make_span("1", start_ms=1_000, duration_ms=100, resource=here),
        make_span("2", parent="1", start_ms=900, duration_ms=50, resource=there),
    ]
    child = next(s for s in adjust_clock_skew(spans, HOUR_NS) if s.parent_span_id)
    assert (ADJUSTED in child.attributes) is corrected


def test_events_move_with_their_span() -> None:
    """An exception would stand outside of the span that it happened in."""
    event = SpanEvent(name="retry", time_ns=5_000_000, attributes={})
    spans = [on("a", "1", "", 10, 100), replace(on("b", "2", "1", 0, 50), events=(event,))]
    child = adjust_clock_skew(spans, HOUR_NS)[1]
    assert (child.start_ns / 1e6, child.events[0].time_ns / 1e6) == (35, 40)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 6),
            st.integers(0, 6),
            st.sampled_from("ab"),
            st.integers(0, 99),
            st.integers(0, 99),
        ),
        max_size=8,
    )
)
def test_any_tree_keeps_its_spans(rows: list[tuple[int, int, str, int, int]]) -> None:
    """Cycles, orphans and own parents included, nothing is lost and no duration changes."""
    spans = [
        on(host, str(i), str(parent), start, length)
        for i, (_, parent, host, start, length) in enumerate(rows)
    ]
    adjusted = adjust_clock_skew(spans, HOUR_NS)
    assert sorted((s.span_id, s.duration_ns) for s in adjusted) == sorted(
        (s.span_id, s.duration_ns) for s in spans
    )
