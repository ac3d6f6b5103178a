"""``:promql``: expressions of both languages over one store, in one program."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.stacklang.evaluation.batch import evaluate, evaluate_expressions, parse
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.lines.database import Window
from collectors.stacklang.predicates.predicate import Equal
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.stacklang.words.query import common_query
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

MINUTE = 60_000
START = 1_700_000_040_000
WINDOW = Window(start_ms=START + 10 * MINUTE, end_ms=START + 20 * MINUTE, step_ms=MINUTE)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricStore]:
    """Yield a store with two applications' counters: 2 and 6 requests a second."""
    opened = MetricStore.open(
        tmp_path_factory.mktemp("store"),
        step_ms=MINUTE,
        hot_window_ms=180 * MINUTE,
        clock=ManualClock(START + 30 * MINUTE),
    )
    times = [START + number * MINUTE for number in range(31)]
    opened.write_remote(
        write_request(
            (
                {"__name__": "hits_total", "app": app, "zone": zone},
                [(at, rate * 60.0 * number) for number, at in enumerate(times)],
            )
            for app, zone, rate in (("a", "x", 1), ("a", "y", 1), ("b", "x", 6))
        )
    )
    yield opened
    opened.close()


PROGRAMS: dict[str, tuple[str, dict[str, float]]] = {
    "one line": ("sum(rate(hits_total[5m])),:promql", {"sum(rate(hits_total[5m]))": 8}),
    "a line for each group": (
        "sum by (app) (rate(hits_total[5m])),:promql",
        {"app=a": 2, "app=b": 6},
    ),
    "commas within a list": (
        "(,sum by (app, zone) (rate(hits_total[5m])),),:promql",
        {"app=a, zone=x": 1, "app=a, zone=y": 1, "app=b, zone=x": 6},
    ),
    "commas of a pattern within a list": (
        '(,sum(rate(hits_total{app=~"a{1,2}"}[5m])),),:promql',
        {'sum(rate(hits_total{app=~"a{1,2}"}[5m]))': 2},
    ),
    "commas escaped": (
        "sum by (app\\u002czone) (rate(hits_total{app='a'}[5m])),:promql",
        {"app=a, zone=x": 1, "app=a, zone=y": 1},
    ),
    "both languages divided": (
        "sum by (app) (rate(hits_total[5m])),:promql,name,hits_total,:eq,:sum,(,app,),:by,:div",
        {"app=a": 1, "app=b": 1},
    ),
    "a share of all": (
        (
            "sum by (app) (rate(hits_total[5m])),:promql,"
            "sum(rate(hits_total[5m])),:promql,:div,100,:mul"
        ),
        {"app=a": 25, "app=b": 75},
    ),
    "a scalar": ("vector(7) + 1,:promql", {"vector(7) + 1": 8}),
    "no data": ("sum(nothing),:promql", {"NO DATA": np.nan}),
    "no series": ("nothing,:promql", {}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_lines_of_both_languages(store: MetricStore, name: str) -> None:
    """A panel that takes one expression from a Prometheus would show other numbers, or none."""
    program, expected = PROGRAMS[name]
    frame = evaluate(program, store, WINDOW)
    assert frame.labels == list(expected)
    for row, value in zip(frame.values, expected.values(), strict=True):
        np.testing.assert_allclose(row, value, rtol=1e-12)


def test_a_legend_has_the_labels(store: MetricStore) -> None:
    """A legend with $app would show the word itself."""
    program = "sum by (app) (rate(hits_total[5m])),:promql,app is $app,:legend"
    assert evaluate(program, store, WINDOW).labels == ["app is a", "app is b"]


def test_an_offset_shows_the_past(store: MetricStore) -> None:
    """Last week's line would be this week's again."""
    frame = evaluate("hits_total{app='b'},:promql,5m,:offset", store, WINDOW)
    first = 6.0 * 60 * 5
    np.testing.assert_allclose(frame.values[0], first + 360.0 * np.arange(11))


def test_a_rule_gets_the_same_step_by_step(store: MetricStore) -> None:
    """A rule would fire at other moments than its graph shows."""
    program = "sum by (app) (rate(hits_total[5m])),:promql,3,:gt"
    whole = evaluate(program, store, WINDOW)
    standing = StreamingEvaluator({"rule": program}, MINUTE)
    steps = [standing.advance(store, int(at))["rule"].values for at in WINDOW.times_ms]
    np.testing.assert_array_equal(np.concatenate(steps, axis=1), whole.values)
    assert [str(request.query) for request in standing.requests("rule")] == ["name,hits_total,:eq"]


def test_a_program_reads_back_the_same() -> None:
    """A link made of an expression would draw another one."""
    for program, _ in PROGRAMS.values():
        (style,) = parse(program)
        assert parse(str(style)) == [style]


WRONG = {
    "sum(,:promql": r"^:promql: 1:5: parse error: ",
    "up[5m],:promql": r"^:promql: 'up\[5m\]' has no value at a step; put it into a function",
    ":promql": "promql",
}


@pytest.mark.parametrize("program", WRONG)
def test_what_is_wrong_is_told_before_it_is_evaluated(program: str) -> None:
    """A rule would be taken, and never fire."""
    with pytest.raises(QueryError) as caught:
        parse(program)
    assert re.search(WRONG[program], caught.value.message)


def test_data_without_samples_say_so() -> None:
    """A dashboard over something else than the store would show nothing, and not why."""
    with pytest.raises(QueryError, match="these data have none"):
        evaluate("up,:promql", MemoryDatabase(step_ms=MINUTE), WINDOW)


def test_a_common_query_is_refused_and_not_left_out(store: MetricStore) -> None:
    """A dashboard restricted to one application would show all, without a word."""
    (style,) = parse("sum(rate(hits_total[5m])),:promql")
    restricted = common_query(style, Equal("app", "a"))
    with pytest.raises(QueryError, match="put app,a,:eq into"):
        evaluate_expressions([restricted], store, WINDOW)  # type: ignore[list-item] # a style
