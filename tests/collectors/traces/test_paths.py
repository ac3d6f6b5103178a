"""What many traces wait for."""

from dataclasses import replace

from collectors.model import Span
from collectors.traces.testing import make_span
from collectors.traces.tree.paths import paths_of


def trace(number: int, database_ms: float, *, error: bool = False) -> list[Span]:
    """Return a request of 100 ms that waits for a database, with something beside it."""
    name = f"{number:x}"
    return [
        make_span("1", trace=name, name="GET", service="web", duration_ms=100),
        make_span(
            "2",
            trace=name,
            parent="1",
            name="query",
            service="db",
            start_ms=1_010,
            duration_ms=database_ms,
            error=error,
        ),
        make_span(
            "3", trace=name, parent="1", name="log", service="web", start_ms=1_010, duration_ms=1
        ),
    ]


def test_paths_add_up_over_traces() -> None:
    """What one slow trace waits for would hide what all of them do."""
    found = paths_of([trace(1, 20), trace(2, 80, error=True), []])
    assert (found.traces, found.total_ns, found.error_saved_ns) == (
        2,
        200_000_000,
        79_000_000,  # what runs beside it stays
    )
    first, second = found.parts
    assert (first.service, first.name, first.own_ns, first.traces, first.spans) == (
        "db",
        "query",
        100_000_000,
        2,
        2,
    )
    assert (first.share, first.failed_ns, first.slowest_ns) == (0.5, 80_000_000, 80_000_000)
    assert first.slowest_trace.endswith("2")
    assert (second.service, second.name) == ("web", "GET")


def test_a_sampled_trace_counts_for_as_many_as_it_stands_for() -> None:
    """What a sender with sampling waits for would count for a tenth beside one without."""
    sampled = [replace(span, trace_state="ot=th:8") for span in trace(1, 20)]
    found = paths_of([sampled, trace(2, 40)])
    assert (found.traces, found.observed, found.total_ns) == (3, 2, 300_000_000)
    database = next(part for part in found.parts if part.service == "db")
    assert (database.own_ns, database.traces, database.spans) == (80_000_000, 3, 3)
    assert database.slowest_ns == 40_000_000


def test_no_traces_have_no_path() -> None:
    """An empty search would end in an error."""
    assert paths_of([]).parts == ()
