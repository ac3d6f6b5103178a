"""Step by step gives what a range gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import ConfigError, QueryError
from collectors.model import Frame
from collectors.stacklang.evaluation import streaming
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.evaluation.streaming import StreamingEvaluator
from collectors.stacklang.expressions.stateful import RollingExpr
from collectors.stacklang.lines.database import Database, Fetch, Lines
from collectors.stacklang.numeric.line_table import LineTable
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.stacklang.testing.windows import NAN, STEP_MS, assert_values, database, window

quickly = settings(max_examples=60, deadline=None)

values = st.one_of(st.just(NAN), st.integers(-5, 5).map(float))
steps = st.integers(1, 14)

tables = steps.flatmap(
    lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=1, max_size=4)
)
data = st.sampled_from(
    [
        "name,x,:eq",
        "name,x,:eq,:max",
        "name,x,:eq,:avg",
        "name,x,:eq,:count",
        "name,x,:eq,(,n,),:by",
        "name,x,:eq,(,n,parity,),:by,:max,(,parity,),:by",
        "name,x,:eq,2m,:offset",
        "minuteOfHour,:time",
        ":random",
        "3,:const",
    ]
)
wrapper = st.sampled_from(
    [
        ",:abs",
        ",2,:rolling-count",
        ",3,:rolling-sum",
        ",4,:rolling-min",
        ",3,:rolling-max",
        ",4,2,:rolling-mean",
        ",2,:delay",
        ",3m,:trend",
        ",:integral",
        ",:cumulative-max",
        ",:derivative",
        ",3,0.3,0.2,:des",
        ",3,0.3,0.2,:sdes",
        ",:des-fast",
        ",1,:gt",
        ",:dup,2,:delay,:sub",
        ",0,:clamp-min",
        ",:pct",
        ",:per-step",
    ]
)
programs = st.builds(lambda base, words: base + "".join(words), data, st.lists(wrapper, max_size=3))


def table(rows: list[list[float]]) -> MemoryDatabase:
    return database(
        *(({"name": "x", "n": str(i), "parity": str(i % 2)}, row) for i, row in enumerate(rows))
    )


def present(frame: Frame, column: int) -> dict[tuple[object, str], float]:
    """Return the values that there are in a column, by line."""
    return {
        (tuple(sorted(tags.items())), label): value
        for tags, label, value in zip(
            frame.tags, frame.labels, frame.values[:, column].tolist(), strict=True
        )
        if not np.isnan(value)
    }


@quickly
@given(tables, programs)
def test_streaming_agrees_with_batch(rows: list[list[float]], program: str) -> None:
    """At every step, for every line, whatever is missing."""
    source, count = table(rows), len(rows[0])
    batch = evaluate(program, source, window(count))
    stream = StreamingEvaluator({"rule": program}, STEP_MS)
    for step in range(count):
        frame = stream.advance(source, (step + 1) * STEP_MS)["rule"]
        assert present(frame, 0) == pytest.approx(present(batch, step), abs=1e-9)


class CountingDatabase:
    """Counts what it is asked."""

    def __init__(self, inner: Database) -> None:
        self.inner = inner
        self.requests: list[Fetch] = []

    @property
    def step_ms(self) -> int:
        return self.inner.step_ms

    def fetch(self, request: Fetch) -> Lines:
        self.requests.append(request)
        return self.inner.fetch(request)


def test_common_data_are_fetched_once_a_step() -> None:
    """A thousand rules over three queries ask three questions."""
    source = CountingDatabase(table([[1.0, 2.0]]))
    rules = {
        str(i): f"name,x,:eq,{['', ':max,', '(,n,),:by,'][i % 3]}{i},:gt,5,:rolling-count"
        for i in range(1_000)
    }
    stream = StreamingEvaluator(rules, STEP_MS)
    assert len(stream.advance(source, STEP_MS)) == 1_000
    assert len(source.requests) == 3


def test_steps_that_were_missed_are_made_up_for() -> None:
    """A pause of the process leaves no hole in what is remembered."""
    source = table([[1.0, 1.0, 1.0, 1.0, 1.0]])
    stream = StreamingEvaluator({"rule": "name,x,:eq,4,:rolling-sum"}, STEP_MS)
    stream.advance(source, STEP_MS)
    assert_values(stream.advance(source, 5 * STEP_MS)["rule"].values, [[4.0]])


def test_a_very_long_pause_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long ago is not fetched again, and not remembered either."""
    monkeypatch.setattr(streaming, "MAX_CATCH_UP_STEPS", 2)
    source = table([[1.0] * 3])
    stream = StreamingEvaluator({"rule": "name,x,:eq,3,:rolling-sum"}, STEP_MS)
    stream.advance(source, STEP_MS)
    assert np.isnan(stream.advance(source, 100_000 * STEP_MS)["rule"].values).all()


def test_one_failing_expression_does_not_harm_the_others() -> None:
    """Its error is kept under its name."""
    source = table([[1.0], [2.0]])
    stream = StreamingEvaluator(
        {"bad": "name,x,:eq,name,x,:eq,:all,:add", "good": "name,x,:eq"}, STEP_MS
    )
    frames = stream.advance(source, STEP_MS)
    assert set(frames) == {"good"}
    assert "too many values" in stream.errors["bad"].message


@pytest.mark.parametrize(
    ("rules", "step_ms", "error", "message"),
    [
        ({"a": ":nope"}, STEP_MS, QueryError, "expression 'a': unknown word"),
        ({}, 0, ConfigError, "step must be positive"),
    ],
)
def test_wrong_rules_are_refused_by_name(
    rules: dict[str, str], step_ms: int, error: type[Exception], message: str
) -> None:
    """So that an operator finds the rule to fix."""
    with pytest.raises(error, match=message):
        StreamingEvaluator(rules, step_ms)


@pytest.mark.parametrize("time_ms", [STEP_MS, STEP_MS - 1, 2 * STEP_MS + 1])
def test_time_only_moves_forward_in_whole_steps(time_ms: int) -> None:
    """Anything else would corrupt what is remembered."""
    stream = StreamingEvaluator({"a": "1"}, STEP_MS)
    stream.advance(table([[1.0]]), STEP_MS)
    with pytest.raises(QueryError, match="step"):
        stream.advance(table([[1.0]]), time_ms)


def test_lines_that_are_gone_are_forgotten() -> None:
    """State follows the lines of the window, not all there ever were."""
    stream = StreamingEvaluator({"a": "name,x,:eq,(,n,),:by,3,:rolling-max"}, STEP_MS)
    for step in range(1, 60):
        rows = [({"name": "x", "n": f"{step}-{i}"}, [1.0] * 60) for i in range(50)]
        stream.advance(database(*rows), step * STEP_MS)
    (state,) = (state for expr, state in stream._memory.items() if isinstance(expr, RollingExpr))
    assert isinstance(state, LineTable)
    assert len(state) < 500


def test_a_window_of_a_day_costs_no_more_memory_than_what_was_seen() -> None:
    """The buffer grows with the data, up to the window."""
    source = table([[1.0] * 5])
    frame = evaluate("name,x,:eq,86400,:rolling-sum", source, window(5))
    assert_values(frame.values[0], [1, 2, 3, 4, 5])
