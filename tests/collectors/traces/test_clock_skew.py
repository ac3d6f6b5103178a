"""Clock-skew correction at read time."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.model import Span
from collectors.traces.clock_skew import ADJUSTED, adjust_clock_skew
from collectors.traces.testing import make_span

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
