"""Programs over a range: values, labels and tags."""

from __future__ import annotations

import math

import pytest

from collectors.errors import QueryError, TooLargeError
from collectors.model import SeriesKind
from collectors.stacklang.evaluation import batch as evaluation
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.stacklang.testing.windows import NAN, STEP_MS, assert_values, database, window
from collectors.stacklang.text.literals import format_double

DATA = database(
    ({"name": "cpu", "app": "www", "node": "1"}, [1.0, 2.0, NAN]),
    ({"name": "cpu", "app": "www", "node": "2"}, [3.0, NAN, NAN]),
    ({"name": "cpu", "app": "api", "node": "3"}, [5.0, 6.0, 7.0]),
    ({"name": "up", "app": "www"}, [2.0, 1.0, 0.0]),
    ({"name": "up", "app": "api"}, [1.0, 1.0, 1.0]),
)


def lines(
    program: str, source: Database = DATA, span: Window | None = None
) -> list[tuple[str, list[float]]]:
    frame = evaluate(program, source, span or window(3))
    return list(zip(frame.labels, frame.values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("program", "label", "values"),
    [
        ("name,cpu,:eq", "sum(name=cpu)", [9.0, 8.0, 7.0]),
        ("name,cpu,:eq,:count", "count(name=cpu)", [3.0, 2.0, 1.0]),
        ("name,cpu,:eq,:min", "min(name=cpu)", [1.0, 2.0, 7.0]),
        ("name,cpu,:eq,:max", "max(name=cpu)", [5.0, 6.0, 7.0]),
        ("name,cpu,:eq,:avg", "name=cpu", [3.0, 4.0, 7.0]),
        ("name,cpu,:eq,app,www,:eq,:and", "sum((name=cpu) and (app=www))", [4.0, 2.0, NAN]),
        ("name,nope,:eq", "NO DATA", [NAN, NAN, NAN]),
        ("name,cpu,:eq,1m,:offset", "sum(name=cpu) (offset=1m)", [NAN, 9.0, 8.0]),
        ("name,up,:eq,name,cpu,:eq,:div", "name=up", [3 / 9, 2 / 8, 1 / 7]),
        ("name,cpu,:eq,(,app,),:by,:max", "max(name=cpu)", [5.0, 6.0, 7.0]),
        ("name,cpu,:eq,(,app,),:by,:count", "count(name=cpu)", [2.0, 2.0, 1.0]),
        ("name,cpu,:eq,6,:clamp-max", "name=cpu", [6.0, 6.0, 6.0]),
        ("name,cpu,:eq,:per-step", "name=cpu", [540.0, 480.0, 420.0]),
        ("name,cpu,:eq,8,:gt,$name+high,:legend", "cpu+high", [1.0, 0.0, 0.0]),
    ],
)
def test_one_line(program: str, label: str, values: list[float]) -> None:
    """Values and the label that people see."""
    ((got_label, got_values),) = lines(program)
    assert got_label == label
    assert_values(got_values, values)


def test_groups_are_in_the_order_of_their_labels() -> None:
    """A group with no value at some step has a gap there."""
    (first, api), (second, www) = lines("name,cpu,:eq,(,app,),:by")
    assert (first, second) == ("(app=api)", "(app=www)")
    assert_values(api, [5.0, 6.0, 7.0])
    assert_values(www, [4.0, 2.0, NAN])


def test_a_group_that_lacks_a_key_is_left_out() -> None:
    """Nothing is said of series that don't have the key."""
    assert lines("name,up,:eq,(,node,),:by") == []


def test_a_second_grouping_aggregates_the_first() -> None:
    """Sum within a node, the largest node of an application."""
    got = lines("name,cpu,:eq,(,app,node,),:by,:max,(,app,),:by")
    assert [label for label, _ in got] == ["(app=api)", "(app=www)"]
    assert_values([values for _, values in got], [[5.0, 6.0, 7.0], [3.0, 2.0, NAN]])


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # The finer side decides which lines there are; each finds its partner among the coarser.
        ("name,cpu,:eq,(,app,node,),:by,name,up,:eq,(,app,),:by,:div", 3),
        ("name,up,:eq,(,app,),:by,name,cpu,:eq,(,app,node,),:by,:div", 3),
        ("name,cpu,:eq,(,app,),:by,10,:mul", 2),
        ("name,cpu,:eq,(,app,node,),:by,name,up,:eq,app,www,:eq,:and,(,app,),:by,:div", 2),
    ],
)
def test_lines_are_joined_by_the_common_keys(program: str, expected: int) -> None:
    """A line without a partner is left out."""
    got = evaluate(program, DATA, window(3))
    assert len(got.tags) == expected


def test_the_tags_of_the_finer_side_are_kept() -> None:
    """So that a legend can name what the line is about."""
    frame = evaluate("name,up,:eq,(,app,),:by,name,cpu,:eq,(,app,node,),:by,:mul", DATA, window(3))
    assert [dict(tags) for tags in frame.tags] == [
        {"name": "cpu", "app": "api", "node": "3"},
        {"name": "cpu", "app": "www", "node": "1"},
        {"name": "cpu", "app": "www", "node": "2"},
    ]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "name,a,:eq,(,b,),:by,name,c,:eq,(,d,),:by,:add",
            r"a subset of the other \[\(,b,\) ⊈ \(,d,\)\]",
        ),
        ("name,cpu,:eq,name,cpu,:eq,:all,:add", "too many values for key"),
        ("name,cpu,:eq,(,app,),:by,:max,(,node,),:by", "is not a subset of"),
        ("name,cpu,:eq,foo,:stat", "unknown statistic: foo"),
        ("name,cpu,:eq,name,cpu,:eq,(,app,),:by,:filter", "filter grouping must match"),
        ("name,cpu,:eq,max,0,:topk", "k must be positive"),
        ("fooOfDay,:time", "No enum constant"),
        ("42,0,:time-span", "start must be <= end"),
        ("name,cpu,:eq,100000,:rolling-sum", "exceeds limit of 86400"),
        ("name,cpu,:eq,(,101,),:percentiles", "invalid percentile 101.0"),
    ],
)
def test_what_can_not_be_evaluated_is_refused(program: str, message: str) -> None:
    """The message says what is wrong with the expression."""
    with pytest.raises(QueryError, match=message):
        evaluate(program, DATA, window(3))


def test_an_answer_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to ask for less."""
    monkeypatch.setattr(evaluation, "MAX_POINTS", 5)
    with pytest.raises(TooLargeError, match="too many datapoints: 6 > 5; group by fewer keys"):
        evaluate("name,cpu,:eq,(,app,),:by", DATA, window(3))


@pytest.mark.parametrize(
    ("kind", "word", "expected"),
    [
        (SeriesKind.GAUGE, ":cf-avg", 2.0),
        (SeriesKind.RATE, ":cf-avg", 4.0 / 3),
        (SeriesKind.GAUGE, ":cf-sum", 4.0),
        (SeriesKind.GAUGE, ":cf-max", 3.0),
        (SeriesKind.GAUGE, ":cf-min", 1.0),
    ],
)
def test_consolidation_to_a_larger_step(kind: SeriesKind, word: str, expected: float) -> None:
    """A gap in a rate counts as zero; a gauge is averaged over what is there."""
    source = database(({"name": "x"}, [1.0, NAN, 3.0]), kind=kind)
    ((_, values),) = lines(f"name,x,:eq,:sum,{word}", source, window(1, step_ms=3 * STEP_MS))
    assert_values(values, [expected])


def test_consolidation_comes_before_aggregation() -> None:
    """The largest of each series added up, not the largest sum."""
    source = database(({"name": "x", "n": "1"}, [1.0, 5.0]), ({"name": "x", "n": "2"}, [5.0, 1.0]))
    ((_, values),) = lines("name,x,:eq,:sum,:cf-max", source, window(1, step_ms=2 * STEP_MS))
    assert_values(values, [10.0])


def test_a_rollup_remembers_what_it_stands_for() -> None:
    """Three series in one: their number, sum and extremes are still known."""
    source = MemoryDatabase(STEP_MS)
    source.add_rollup({"name": "x"}, start_ms=STEP_MS, members=[[1.0], [2.0], [6.0]])
    got = {
        word: lines(f"name,x,:eq,:{word}", source, window(1))[0][1][0]
        for word in ("sum", "count", "min", "max")
    }
    assert got == {"sum": 9.0, "count": 3.0, "min": 1.0, "max": 6.0}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("hourOfDay", 13),
        ("minuteOfDay", 13 * 60 + 45),
        ("dayOfWeek", 4),
        ("dayOfMonth", 29),
        ("dayOfYear", 60),
        ("monthOfYear", 2),
        ("yearOfEra", 2024),
        ("weeks", 1_709_214_300 / 604_800),
        ("AMPM_OF_DAY", 1),
        ("ALIGNED_WEEK_OF_YEAR", 9),
        ("CLOCK_HOUR_OF_AMPM", 1),
    ],
)
def test_parts_of_the_time(mode: str, expected: float) -> None:
    """Thursday, 29 February 2024, 13:45 UTC."""
    first = 1_709_214_300_000 // STEP_MS
    ((_, values),) = lines(f"{mode},:time", DATA, window(1, first=first))
    assert values == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("span", "values"),
    [
        ("gs,s+1m", [1, 1, 0, 0]),
        ("e-1m,ge", [0, 0, 0, 1]),
        ("gs+1m,gs+2m", [0, 1, 1, 0]),
        ("120,180", [0, 1, 1, 0]),
        ("now-1m,now", [0, 0, 1, 1]),
    ],
)
def test_time_spans_include_both_ends(span: str, values: list[float]) -> None:
    """Relative to the graph, to each other, to now, or absolute."""
    ((_, got),) = lines(f"{span},:time-span", DATA, window(4))
    assert got == values


def test_noise_depends_on_the_time_alone() -> None:
    """The same in every graph, and different for each seed."""
    early = lines(":random", DATA, window(10))[0][1]
    late = lines(":random", DATA, window(5, first=6))[0][1]
    assert early[5:] == late
    assert lines("1,:srandom", DATA, window(10))[0][1] != early
    assert all(0 <= value < 1 for value in early)


@pytest.mark.parametrize(
    ("left", "right", "results"),
    [
        (1.0, 2.0, {"add": 3, "sub": -1, "mul": 2, "div": 0.5, "fdiv": 0.5, "pow": 1, "lt": 1}),
        (0.0, 0.0, {"div": 0, "fdiv": NAN, "and": 0, "or": 0, "ge": 1}),
        (1.0, 0.0, {"div": NAN, "fdiv": math.inf, "or": 1}),
        (NAN, 1.0, {"add": 1, "sub": -1, "mul": NAN, "fadd": NAN, "lt": 0, "or": 1, "and": 0}),
        (1.0, NAN, {"pow": NAN, "add": 1, "sub": 1, "div": NAN, "gt": 0}),
        (NAN, NAN, {"add": NAN, "le": 0, "ge": 0, "or": 0}),
        (1e-13, 1.0, {"and": 0, "or": 1}),
    ],
)
def test_arithmetic_with_missing_and_odd_values(
    left: float, right: float, results: dict[str, float]
) -> None:
    """Atlas's rules, for single values and for lines alike."""
    source = database(({"name": "l"}, [left]), ({"name": "r"}, [right]))
    shown = f"{format_double(left)},{format_double(right)},:const"
    for word, expected in results.items():
        ((_, folded),) = lines(f"{shown},:{word}", source, window(1))
        ((_, joined),) = lines(f"name,l,:eq,:sum,name,r,:eq,:sum,:{word}", source, window(1))
        assert_values([folded, joined], [[expected], [expected]])


def test_statistics_can_stand_in_a_legend() -> None:
    """As can the offset of the data."""
    program = "name,cpu,:eq,1m,:offset,$(atlas.offset)+$(atlas.max),:legend"
    assert lines(program)[0][0] == "1m+9.0"


def test_a_list_of_offsets_makes_copies() -> None:
    """The deprecated form, which some dashboards still have."""
    got = lines("name,cpu,:eq,:sum,(,0h,1m,),:offset")
    assert [label for label, _ in got] == ["sum(name=cpu)", "sum(name=cpu) (offset=1m)"]
