"""The critical path: external cases, hand-made ones, and what holds for any tree."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.conformance.critical_path_suite import (
    answers,
    case_files,
    cases_directory,
)
from collectors.model import Span, SpanKind
from collectors.traces.testing import make_span
from collectors.traces.tree.critical_path import critical_path, jaeger_before


def external_cases() -> list[Any]:
    directory = cases_directory()
    files = case_files(directory)
    if not files:
        reason = f"no cases in {directory}; set TOCSIN_SHARED to their directory"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason))]
    return [pytest.param(path, id=path.stem) for path in files]


@pytest.mark.parametrize("path", external_cases())
def test_crisp_cases(path: Path) -> None:
    """The path would differ from that of the published tool."""
    for what, expected, found in answers(json.loads(path.read_text())):
        assert found == expected, what


def path_of(*spans: Span) -> dict[str, float]:
    found = critical_path(spans)
    assert found is not None
    return {key[0].lstrip("0"): ns / 1e6 for key, ns in found.exclusive_ns.items()}


ROOT = make_span("1", start_ms=0.001, duration_ms=100)


def child(span_id: str, start_ms: float, duration_ms: float, **more: Any) -> Span:
    more.setdefault("parent", "1")
    return make_span(span_id, start_ms=start_ms, duration_ms=duration_ms, **more)


def test_only_the_last_of_parallel_children_counts() -> None:
    """A call that nobody waited for would be blamed."""
    assert path_of(ROOT, child("2", 10, 50), child("3", 10, 70)) == {"1": 30, "3": 70}


def test_children_in_series_all_count() -> None:
    """Time spent in earlier calls would be left out."""
    assert path_of(ROOT, child("2", 10, 20), child("3", 40, 30)) == {"1": 50, "2": 20, "3": 30}


def test_a_message_that_nobody_waits_for_is_left_out() -> None:
    """A request would be blamed for work in a queue."""
    sent = child("2", 10, 5, kind=SpanKind.PRODUCER)
    handled = child("3", 12, 90, parent="2", kind=SpanKind.CONSUMER)
    assert path_of(ROOT, sent, handled) == {"1": 95, "2": 5}


def test_a_server_on_another_clock_keeps_its_duration() -> None:
    """Client and server span are one call: the server is not clipped at the client's start."""
    call = child("2", 20, 50, kind=SpanKind.CLIENT)
    served = child("3", 5, 40, parent="2", kind=SpanKind.SERVER)
    assert path_of(ROOT, call, served) == {"1": 50, "2": 10, "3": 40}


def test_orphans_and_cycles_are_left_out() -> None:
    """A broken trace would loop, or count time twice."""
    lost = child("7", 10, 10, parent="8")
    circle = child("8", 10, 10, parent="7")
    assert path_of(ROOT, lost, circle) == {"1": 100}


def test_segments_follow_each_other() -> None:
    """The path could not be drawn in the waterfall."""
    found = critical_path([ROOT, child("2", 10, 20), child("3", 40, 30)])
    assert found is not None
    assert [
        (s.span_id.lstrip("0"), round(s.start_ns / 1e6), round(s.end_ns / 1e6))
        for s in found.segments
    ] == [("1", 0, 10), ("2", 10, 30), ("1", 30, 40), ("3", 40, 70), ("1", 70, 100)]


def test_a_deep_trace_does_not_exhaust_the_stack() -> None:
    """A long chain of calls would be an internal error."""
    spans = [ROOT, *(child(str(i), 1, 90, parent=str(i - 1)) for i in range(2, 5_000))]
    assert critical_path(spans) is not None


def test_no_spans_have_no_path() -> None:
    """An empty trace would be an internal error."""
    assert critical_path([]) is None


_rows = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 90), st.integers(0, 90), st.booleans()), max_size=8
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_rows, st.booleans())
def test_any_trace(rows: list[tuple[int, int, int, bool]], strict: bool) -> None:
    """The path is no longer than the trace; savings are no larger than what failed."""
    spans = [ROOT] + [
        child(str(i), start + 0.5, length, parent=str(min(parent, i - 1)), error=failed)
        for i, (parent, start, length, failed) in enumerate(rows, start=2)
    ]
    found = critical_path(spans, jaeger_before) if strict else critical_path(spans)
    assert found is not None
    assert sum(s.end_ns - s.start_ns for s in found.segments) <= 1.05 * ROOT.duration_ns
    assert 0 <= found.error_saved_ns <= min(found.error_work_ns, ROOT.duration_ns)
    if strict:
        assert sum(found.exclusive_ns.values()) == ROOT.duration_ns
        for before, after in zip(found.segments, found.segments[1:], strict=False):
            assert before.end_ns == after.start_ns
