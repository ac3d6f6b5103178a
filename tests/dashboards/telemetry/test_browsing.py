"""Expressions by clicks: each is accepted by the language and means what was clicked."""

from __future__ import annotations

import pytest

from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.stacklang.testing.memory import MemoryDatabase
from dashboards.telemetry.browsing import (
    filtered,
    followed_by,
    grouped_by,
    keys_to_split,
    metric_in,
    start_of,
    unit_for,
)
from tests.dashboards.telemetry.test_services import tags, timer
from tocsin.client.metric_shapes import MetricTags

GAUGE = tags(app=["a", "b"], zone=["x", "y"], atlas__dstype=["gauge"], name=["m"])
COUNTER = tags(app=["a"], atlas__dstype=["counter"])
OTLP_SUM = tags(app=["a"], statistic=["count"], atlas__dstype=["counter"])
SIZES = tags(app=["a"], statistic=["count", "percentile", "totalAmount"])
WINDOW = Window(start_ms=60_000, end_ms=60_000, step_ms=60_000)


@pytest.fixture(name="database")
def _database() -> MemoryDatabase:
    database = MemoryDatabase(step_ms=60_000)
    for app, zone, value in (("a", "x", 1.0), ("a", "y", 2.0), ("b", "x", 4.0)):
        series = {"name": "m", "app": app, "zone": zone}
        database.add(series, start_ms=60_000, values=[value])
    return database


def lines(database: MemoryDatabase, expression: str) -> dict[tuple[str, ...], float]:
    """Return the value of each line by its app and zone."""
    frame = evaluate(expression, database, WINDOW)
    keys = [(t.get("app", ""), t.get("zone", "")) for t in frame.tags]
    return dict(zip(keys, frame.values[:, 0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("found", "expression"),
    [
        (GAUGE, "name,m,:eq,:avg"),
        (COUNTER, "name,m,:eq,:sum"),
        (OTLP_SUM, "name,m,:eq,statistic,count,:eq,:and,:sum"),
        (timer("shop"), "name,m,:eq,(,50,95,99,),:percentiles"),
    ],
)
def test_a_metric_begins_as_its_kind_asks_for(found: MetricTags, expression: str) -> None:
    """The sum of a histogram's buckets, or of temperatures, says nothing."""
    assert start_of("m", found) == expression


@pytest.mark.parametrize("start", ["name,m,:eq,:sum", " name, m, :eq,\n :sum, "])
def test_clicks_add_up_to_what_was_meant(database: MemoryDatabase, start: str) -> None:
    """A filter after a grouping, and a second grouping after a filter, must hold both."""
    by_app = grouped_by(start, "app")
    assert lines(database, by_app) == {("a", ""): 3.0, ("b", ""): 4.0}
    only_x = filtered(by_app, "zone", "x")
    assert lines(database, only_x) == {("a", "x"): 1.0, ("b", "x"): 4.0}
    by_both = grouped_by(only_x, "zone")
    assert by_both == grouped_by(by_both, "zone")
    assert lines(database, by_both) == {("a", "x"): 1.0, ("b", "x"): 4.0}
    top = followed_by(f"{by_app},max,1", "topk")
    assert lines(database, top) == {("b", ""): 4.0}


def test_both_sides_of_a_ratio_are_grouped(database: MemoryDatabase) -> None:
    """A ratio of one line by many would be of unlike things."""
    halves = "name,m,:eq,:sum,name,m,:eq,:sum,:div"
    assert lines(database, grouped_by(halves, "app")) == {("a", ""): 1.0, ("b", ""): 1.0}


@pytest.mark.parametrize(
    ("expression", "found", "told", "unit"),
    [
        ("name,m,:eq,:avg", GAUGE, "By", "By"),
        ("name,m,:eq,:sum", COUNTER, "By", "By/s"),
        ("name,m,:eq,:sum", COUNTER, "{order}", "1/s"),
        ("name,m,:eq,:sum", COUNTER, "", "1/s"),
        ("name,m,:eq,statistic,count,:eq,:and,:sum", timer("a"), "ms", "1/s"),
        ("name,m,:eq,(,99,),:percentiles", timer("a"), "ms", "s"),
        ("name,m,:eq,(,99,),:percentiles", SIZES, "By", "By"),
        ("name,m,:eq,:sum,name,m,:eq,:sum,:div", COUNTER, "By", ""),
    ],
)
def test_the_unit_is_what_was_told_of_what_is_drawn(
    expression: str, found: MetricTags, told: str, unit: str
) -> None:
    """Milliseconds over a chart of seconds would be wrong by a thousand."""
    known = found.copy()
    known["units"] = {"m": told}
    assert unit_for(expression, "m", known) == unit


def test_keys_that_say_nothing_come_last() -> None:
    """A person would look through machinery before the tag that splits the metric."""
    found = tags(name=["m"], pod=["1", "2", "3"], app=["a"], statistic=["count"], zone=["x", "y"])
    assert [row["key"] for row in keys_to_split(found)] == ["zone", "pod", "app"]


def test_an_expression_names_its_metric() -> None:
    """The browser would show the tags of another metric."""
    assert metric_in("app,a,:eq,name,m,:eq,:and,:sum") == "m"
    assert metric_in("nick.name,m,:eq") is None
