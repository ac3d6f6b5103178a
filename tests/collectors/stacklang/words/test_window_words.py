"""Words that look at a window: rolling, smoothing, statistics, filters, percentiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.model import FloatArray
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.numeric.percentiles import BOUNDS, bucket_index, estimate_percentiles
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.stacklang.testing.windows import NAN, STEP_MS, assert_values, database, window

quickly = settings(max_examples=60, deadline=None)


def transform(values: Sequence[float], words: str) -> FloatArray:
    source = database(({"name": "x"}, values))
    (line,) = evaluate(f"name,x,:eq,{words}", source, window(len(values))).values
    return np.asarray(line)


INPUT = [0.0, 1.0, -1.0, NAN, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("3,:rolling-count", [0, 1, 2, 2, 1, 1, 2, 3, 3, 2]),
        ("3,:rolling-min", [0, 0, -1, -1, -1, 0, 0, 1, 1, 0]),
        ("3,:rolling-max", [0, 1, 1, 1, 0, 1, 1, 1, 1, 1]),
        ("3,:rolling-sum", [0, 1, 0, 0, -1, 1, 2, 3, 3, 2]),
        ("3m,:rolling-sum", [0, 1, 0, 0, -1, 1, 2, 3, 3, 2]),
        ("3,2,:rolling-mean", [NAN, 0.5, 0, 0, -0.5, 0.5, 2 / 3, 1, 1, 2 / 3]),
        ("2,:delay", [NAN, NAN, 0, 1, -1, NAN, 0, 1, 1, 1]),
        ("2m,:trend", [NAN, 0.5, 0, -0.5, 0, 0.5, 1, 1, 1, 0.5]),
        ("30s,:trend", INPUT),
        (":integral", [0, 1, 0, 0, 0, 1, 2, 3, 4, 4]),
        (":cumulative-max", [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        (":derivative", [NAN, 1, -2, NAN, NAN, 1, 0, 0, 0, -1]),
        ("max,:stat", [1] * 10),
        ("count,:stat", [9] * 10),
        ("avg,2m,:consolidate", [0.5, 0.5, -1, -1, 0.5, 0.5, 1, 1, 0.5, 0.5]),
    ],
)
def test_words_over_a_line(words: str, expected: list[float]) -> None:
    """Missing values are left out, or count as nothing, as each word says."""
    assert_values(transform(INPUT, words), expected)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("3,0,:rolling-mean", "minimum number of values must be >= 1"),
        ("3,4,:rolling-mean", "minimum number of values must be <= window size"),
    ],
)
def test_a_mean_needs_a_number_of_values_that_fits_its_window(words: str, message: str) -> None:
    """Otherwise the line would be empty without a reason."""
    with pytest.raises(QueryError, match=f"requirement failed: {message}"):
        transform(INPUT, words)


def test_a_mean_over_time_asks_for_no_more_than_the_window_has() -> None:
    """A larger step leaves fewer points in the window; the line stays."""
    assert_values(transform([1.0, 2.0], "1m,3,:rolling-mean"), [1.0, 2.0])


numbers = st.one_of(st.just(NAN), st.integers(-50, 50).map(float), st.just(1e300))


@quickly
@given(st.lists(numbers, min_size=1, max_size=40), st.integers(1, 12))
def test_a_rolling_window_agrees_with_looking_at_each_window(
    values: list[float], size: int
) -> None:
    """No error is left behind by a huge value that has left the window."""
    windows = [np.array(values[max(0, i + 1 - size) : i + 1]) for i in range(len(values))]
    present = [one[~np.isnan(one)] for one in windows]
    expected_sum = [one.sum() if len(one) else NAN for one in present]
    expected_min = [one.min() if len(one) else NAN for one in present]
    assert_values(transform(values, f"{size},:rolling-sum"), expected_sum)
    assert_values(transform(values, f"{size},:rolling-min"), expected_min)


def smoothed(values: list[float], training: int, alpha: float, beta: float) -> list[float]:
    """Textbook double exponential smoothing: level and trend, one value after the other."""
    level, trend, count = 0.0, 0.0, 0
    out: list[float] = []
    for value in values:
        out.append(level if count >= training else NAN)
        if np.isnan(value):
            continue
        if count == 0:
            level, trend = value, 0.0
        else:
            before = level
            level = alpha * value + (1 - alpha) * (level + trend)
            trend = beta * (level - before) + (1 - beta) * trend
        count += 1
    return out


@quickly
@given(st.lists(st.one_of(st.just(NAN), st.integers(-9, 9).map(float)), min_size=1, max_size=30))
def test_smoothing_agrees_with_the_textbook(values: list[float]) -> None:
    """Missing values change nothing."""
    assert_values(transform(values, "3,0.2,0.4,:des"), smoothed(values, 3, 0.2, 0.4))


def test_sliding_smoothing_does_not_depend_on_where_the_graph_begins() -> None:
    """After two training periods the prediction for a time is always the same."""
    values = np.sin(np.arange(100)) * 10
    source = database(({"name": "x"}, values))
    program = "name,x,:eq,10,0.1,0.5,:sdes"
    whole = evaluate(program, source, window(100)).values[0]
    for first in (7, 18, 33):
        part = evaluate(program, source, window(101 - first, first=first)).values[0]
        known = ~np.isnan(part)
        settled = np.arange(len(part)) >= 20 + (-first % 10)
        assert known[settled].all()
        assert_values(part[settled], whole[first - 1 :][settled])


GROUPS = database(
    ({"name": "x", "g": "a"}, [1.0, 1.0]),
    ({"name": "x", "g": "b"}, [2.0, 9.0]),
    ({"name": "x", "g": "c"}, [5.0, 5.0]),
    ({"name": "x", "g": "d"}, [NAN, NAN]),
)


def groups(words: str) -> dict[str, list[float]]:
    frame = evaluate(f"name,x,:eq,(,g,),:by,{words}", GROUPS, window(2))
    return {tags["g"]: row.tolist() for tags, row in zip(frame.tags, frame.values, strict=True)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (":stat-max,4,:gt,:filter", ["b", "c"]),
        (":stat-avg,5.4,:gt,:filter", ["b"]),
        (":dup,8,:gt,:filter", ["b"]),
        ("0,:filter", []),
        ("1,:filter", ["a", "b", "c", "d"]),
        ("total,2,:bottomk", ["a", "c"]),
        ("$g,:legend,:stat-max,4,:gt,:filter", ["b", "c"]),
    ],
)
def test_filters_choose_lines(words: str, expected: list[str]) -> None:
    """By a statistic of the line, by the line itself, or by a condition on everything."""
    assert sorted(groups(words)) == expected


@pytest.mark.parametrize(
    ("how", "values"), [("sum", [6, 6]), ("min", [1, 1]), ("max", [5, 5]), ("avg", [3, 3])]
)
def test_the_lines_that_were_not_chosen_are_folded(how: str, values: list[float]) -> None:
    """A line without data adds nothing; missing counts as the largest, as when Java compares."""
    got = groups(f"max,2,:topk-others-{how}")
    assert set(got) == {"b", "d", "--others--"}
    assert got["--others--"] == values


def test_percentiles_of_a_uniform_distribution() -> None:
    """Estimated within the width of a bucket, a line for each percentile."""
    source = MemoryDatabase(STEP_MS)
    counts: dict[int, int] = {}
    for value in range(1_000):
        counts[bucket_index(value)] = counts.get(bucket_index(value), 0) + 1
    for bucket, count in counts.items():
        tags = {"name": "t", "percentile": f"D{bucket:04X}"}
        source.add(tags, start_ms=STEP_MS, values=[count / 60])
    frame = evaluate("name,t,:eq,(,99,50,9.5,),:percentiles", source, window(1))
    assert list(frame.labels) == [f"percentile(name=t, {p})" for p in ("  9.5", " 50.0", " 99.0")]
    assert frame.values[:, 0].tolist() == pytest.approx([95, 500, 990], rel=0.15)
    share = evaluate(
        "name,t,:eq,0,499,:sample-count,name,t,:eq,:sample-count,:div", source, window(1)
    )
    assert share.values[0, 0] == pytest.approx(0.5, rel=0.15)


@quickly
@given(st.integers(0, 2**63 - 1))
def test_a_value_lies_in_its_bucket(value: int) -> None:
    """Not above the bucket's bound, and not below the one before by more than what thirds leave.

    Three steps of a third of 4^k, in whole numbers, end up to 3 short of the next power of four:
    spectator's clients count these amounts one bucket higher.
    """
    index = bucket_index(value)
    assert value <= BOUNDS[index]
    assert index == 0 or value >= BOUNDS[index - 1] - 3


def test_nothing_counted_has_no_percentile() -> None:
    """Neither zero nor an error."""
    assert np.isnan(
        estimate_percentiles(np.zeros((2, 1)), np.array([3, 4]), np.array([50.0]))
    ).all()


def sketch(values: Iterable[int]) -> FloatArray:
    """Return the registers of a distinct count sketch, as a client publishes them."""
    registers = np.zeros(64)
    for value in values:
        mixed = (value * 0x9E3779B97F4A7C15 + 0x1234567) & (2**64 - 1)
        mixed = ((mixed ^ (mixed >> 31)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        mixed ^= mixed >> 29
        rank = 58 - (mixed >> 6).bit_length() + 1
        registers[mixed & 63] = max(registers[mixed & 63], rank)
    return registers


def test_distinct_counts_are_merged_before_they_are_estimated() -> None:
    """A user who was seen twice, or on two servers, counts once."""
    source = MemoryDatabase(STEP_MS)
    for server, users in {
        "1": (range(3_000), range(3_000)),
        "2": (range(3_000), range(6_000)),
    }.items():
        steps = np.stack([sketch(each) for each in users], axis=1)
        for register in range(64):
            tags = {"name": "u", "server": server, "distinct": f"R{register:02X}"}
            source.add(tags, start_ms=STEP_MS, values=steps[register])
    now = evaluate("name,u,:eq,:approx-distinct", source, window(2)).values[0]
    assert now[0] == pytest.approx(3_000, rel=0.4)
    assert now[1] == pytest.approx(6_000, rel=0.4)
    each = evaluate("name,u,:eq,(,server,),:by,:approx-distinct", source, window(2))
    assert [tags["server"] for tags in each.tags] == ["1", "2"]
    ever = evaluate("name,u,:eq,:approx-distinct-cumulative", source, window(2)).values[0]
    assert ever[1] >= now[1]
