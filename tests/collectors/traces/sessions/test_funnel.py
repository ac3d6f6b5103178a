"""Where sessions stop."""

from dataclasses import replace

import pytest

from collectors.errors import QueryError
from collectors.model import Span
from collectors.traces.query.columns import SpanBlock
from collectors.traces.sessions.funnel import FunnelStep, funnel_of
from collectors.traces.sessions.listing import list_sessions
from collectors.traces.testing import make_span
from collectors.traces.traceql.query import Field, Scope

BY = Field(Scope.ANY, "visit", 1)
STEPS = ["search", "choose", "pay"]


def visit(who: str, *steps: str, start_ms: int = 1_000) -> list[list[Span]]:
    """Return the traces of one visit, a second apart; a step with ``!`` failed.

    The visit is named on the first span of each trace alone, the step is its child.
    """
    traces = []
    for at, step in enumerate(steps):
        trace = f"{hash((who, at)) & 0xFFFFFFFF:x}"
        begun = start_ms + 1_000 * at
        traces.append(
            [
                make_span("1", trace=trace, start_ms=begun, attributes={"visit": who}, name="GET"),
                make_span(
                    "2",
                    trace=trace,
                    parent="1",
                    start_ms=begun + 1,
                    name=step.rstrip("!"),
                    error=step.endswith("!"),
                    service="shop",
                ),
            ]
        )
    return traces


VISITS = [
    *visit("all", "search", "choose", "pay"),
    *visit("failed", "search", "choose!", "choose!"),
    *visit("mended", "search", "choose!", "choose"),
    *visit("left", "search"),
    *visit("backwards", "pay", "choose", "search"),
    *visit("elsewhere", "help"),
    *visit("again", "choose", "search", "choose", "pay!"),
    [make_span("1", trace="f", name="search")],  # of no session
]


def told(step: FunnelStep) -> tuple[float, float, float]:
    return step.sessions, step.stopped, step.stopped_failed


def test_where_sessions_stop() -> None:
    """Somebody would mend the wrong step."""
    first, second, third = funnel_of([SpanBlock(VISITS)], STEPS, BY)
    assert told(first) == (6, 2, 0)  # left and backwards
    assert told(second) == (4, 2, 1)  # failed and mended
    assert told(third) == (2, 0, 0)
    assert second.examples[0] == "failed"
    assert (third.share, third.of_previous) == (2 / 6, 0.5)
    assert second.median_s == 1.0


def test_the_same_whatever_the_blocks() -> None:
    """What a funnel says would depend on how spans are kept."""
    whole = funnel_of([SpanBlock(VISITS)], STEPS, BY)
    parts = funnel_of([SpanBlock([trace]) for trace in reversed(VISITS)], STEPS, BY)
    assert [told(step) for step in parts] == [told(step) for step in whole]


def test_steps_may_be_conditions() -> None:
    """Steps whose spans have no name of their own could not be told."""
    steps = ["search", '{ resource.service.name = "shop" && name =~ "cho.*" && status != error }']
    assert [step.sessions for step in funnel_of([SpanBlock(VISITS)], steps, BY)] == [6, 3]


def test_sampled_sessions_count_for_as_many_as_they_stand_for() -> None:
    """A sender that keeps one session of four would seem to have a quarter of the visitors."""
    sampled = [[replace(span, trace_state="ot=th:c") for span in trace] for trace in VISITS]
    block = SpanBlock([*sampled, *visit("kept", "search", "choose", start_ms=90_000)])
    first, second, _ = funnel_of([block], STEPS, BY)
    assert (first.sessions, first.observed) == (25, 7)
    assert told(second) == (17, 9, 4)
    (line,) = [one for one in list_sessions([block], BY, 10) if one.session == "failed"]
    assert (line.traces, line.spans, line.failed_spans, line.observed_spans) == (12, 24, 8, 6)


def test_nobody_came() -> None:
    """A funnel without sessions would end in an error, or in a share of nothing."""
    first, *_ = funnel_of([SpanBlock(VISITS)], ["a", "b"], BY)
    assert (first.sessions, first.share, first.median_s) == (0, None, None)
    assert funnel_of([], ["a", "b"], BY)[1].of_previous is None


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["a"], "2 to 12 steps"),
        (["a"] * 13, "2 to 12 steps"),
        (["a", "{ name = }"], "column"),
        (["a", "{} >> {}"], "one filter"),
    ],
)
def test_what_is_refused(steps: list[str], said: str) -> None:
    """A mistyped step would look like a step that nobody gets to."""
    with pytest.raises(QueryError, match=said):
        funnel_of([SpanBlock(VISITS)], steps, BY)


def test_the_list_of_sessions() -> None:
    """A session that somebody complains about would not be found."""
    lines = list_sessions([SpanBlock([trace]) for trace in VISITS], BY, 10)
    assert next(line.session for line in lines) == "again"
    (failed,) = [line for line in lines if line.session == "failed"]
    assert (failed.traces, failed.spans, failed.failed_spans) == (3, 6, 2)
    bad = list_sessions([SpanBlock(VISITS)], BY, 10, failed=True)
    assert {line.session for line in bad} == {"failed", "mended", "again"}
