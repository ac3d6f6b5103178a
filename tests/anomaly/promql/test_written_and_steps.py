"""Queries as expressions, and their values at steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.promql import steps
from anomaly.promql.standing import there_with_patience
from anomaly.promql.steps import frame_at_steps
from anomaly.promql.written import as_expression, grouped, narrowed_query, query_in
from collectors.promql.samples.memory import MemorySource
from collectors.stacklang.lines.database import Window

QUERIES = [
    "up",
    "sum by (job, code) (rate(x{path=~'/a,b.*', le=\"+Inf\"}[5m]))",
    'label_replace(up, "a", "$1", "b", "(.*):\\\\d+")',
    "-1 * (a + b)",
    "1",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_survives_being_an_expression(query: str) -> None:
    """A comma or a colon lost on the way would ask something else, in silence."""
    assert query_in(as_expression(query)) == " ".join(query.split())


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])))
def test_any_text_survives_being_an_expression(text: str) -> None:
    """Whatever a document says must come back as it was, whether it can be parsed or not."""
    one_line = " ".join(text.split())
    if one_line:
        assert query_in(as_expression(text)) == one_line


@pytest.mark.parametrize(
    ("query", "keys", "expected"),
    [
        ("sum(rate(x[5m]))", ("job",), "sum by (job) (rate(x[5m]))"),
        ("sum by (a) (x)", ("job",), "sum by (a) (x)"),
        ("rate(x[5m])", ("name", "job"), "sum by (__name__, job) (rate(x[5m]))"),
        ("sum(a) / sum(b)", ("job",), "sum(a) / sum(b)"),
        ("sum(a)", (), "sum(a)"),
    ],
)
def test_lines_are_told_apart_by_keys(query: str, keys: tuple[str, ...], expected: str) -> None:
    """A budget for each region needs a line for each region."""
    assert grouped(query, keys) == expected


def test_a_query_is_narrowed_to_a_group_wherever_it_selects() -> None:
    """The chart of a finding must show the place that it is about, in both halves."""
    found = narrowed_query("sum(a{x='1'}) / sum(rate(b[5m]))", {"cloud.region": "eu", "none": ""})
    assert found == 'sum(a{x="1","cloud.region"="eu"}) / sum(rate(b{"cloud.region"="eu"}[5m]))'


def test_a_long_window_is_asked_in_parts_and_answers_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A start looks back over a month, which is more steps than one query may have."""
    source = MemorySource()
    times = np.arange(0, 600_000, 10_000)
    source.add({"__name__": "x", "job": "a"}, times, np.arange(60.0))
    source.add({"__name__": "x", "job": "b"}, times[30:33], [1.0, np.nan, 3.0])
    window = Window(start_ms=10_000, end_ms=590_000, step_ms=10_000)
    whole = frame_at_steps("x * 2", source, window)
    monkeypatch.setattr(steps, "STEPS_AT_ONCE", 7)
    parts = frame_at_steps("x * 2", source, window)
    assert whole.tags == parts.tags == [{"job": "a"}, {"job": "b"}]
    np.testing.assert_array_equal(whole.values, parts.values)


def test_a_number_alone_is_one_line() -> None:
    """A threshold written as a number must not be taken for no data."""
    frame = frame_at_steps("1 + 1", MemorySource(), Window.single(10_000, 10_000))
    assert (frame.tags, frame.values.tolist()) == ([{}], [[2.0]])


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 30))
def test_patience_adds_and_never_looks_ahead(said: list[bool], most: int) -> None:
    """Whoever has spoken is there; whoever speaks in every step is missed at once."""
    there = np.array([said])
    found = there_with_patience(there, most)
    assert (found | ~there).all()
    if any(said) and all(said[said.index(True) : len(said) - said[::-1].index(True)]):
        assert (found == there).all()
    assert not found[0, : said.index(True) if any(said) else len(said)].any()
