"""Feeding an objective: in bulk or step by step, with groups that come late and data that stop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.arrivals import Arrived
from anomaly.slo.testing import example_objective
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import Frame
from collectors.stacklang.lines.database import Window

STEP_MS = 5_000
NAN = float("nan")


def frame(rows: dict[str, list[float]]) -> Frame:
    return Frame(
        start_ms=STEP_MS,
        step_ms=STEP_MS,
        tags=[{"name": "x", "k": key} for key in rows],
        labels=list(rows),
        values=np.array(list(rows.values()), dtype=float).reshape(len(rows), -1),
    )


def arrived(steps: int) -> Arrived:
    return Arrived.everything(Window(start_ms=STEP_MS, end_ms=steps * STEP_MS, step_ms=STEP_MS))


def fed(good: Frame | None, total: Frame | None, cuts: list[int], steps: int) -> ObjectiveWatch:
    watch = ObjectiveWatch(example_objective(), STEP_MS)
    watch.take(good, total, arrived(steps))
    edges = [0, *cuts, steps]
    for first, last in pairwise(edges):
        if last > first:
            watch.feed(first, last, last * STEP_MS)
    return watch


rates = st.one_of(st.just(NAN), st.integers(0, 40).map(float))


@settings(deadline=None, max_examples=50)
@given(data=st.data(), steps=st.integers(1, 50))
def test_bulk_and_single_steps_agree(data: st.DataObject, steps: int) -> None:
    """However the steps are cut, budgets and windows of every group come out alike."""
    total = {key: data.draw(st.lists(rates, min_size=steps, max_size=steps)) for key in "ab"}
    good = {key: [value * 0.75 for value in row] for key, row in total.items()}
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, steps - 1)), max_size=5)))
    one = fed(frame(good), frame(total), list(range(1, steps)), steps)
    other = fed(frame(good), frame(total), [c for c in cuts if c < steps], steps)
    assert one.groups.scopes == other.groups.scopes
    for group in range(len(one.states)):
        assert repr(one.budget(group)) == repr(other.budget(group))
        assert repr(one.windows().readings(group)) == repr(other.windows().readings(group))
        known = [v for v in total[str(one.groups.scopes[group]["k"])] if v == v]
        if sum(known):
            assert one.budget(group).good_ratio == pytest.approx(0.75)


TABLES = [
    # good, total -> good ratio and measured steps of group a
    ("all is well", {"a": [2, 2]}, {"a": [2, 2]}, 1.0, 2),
    ("no good events at all: all were bad", {}, {"a": [2, 2]}, 0.0, 2),
    ("nothing measured in between", {"a": [2, NAN, 1]}, {"a": [2, NAN, 2]}, 0.75, 2),
    (
        "idle while others are busy",
        {"a": [2, NAN], "b": [1, 1]},
        {"a": [2, NAN], "b": [1, 1]},
        1.0,
        2,
    ),
    (
        "late: the past is not measured",
        {"a": [NAN, 2], "b": [1, 1]},
        {"a": [NAN, 2], "b": [1, 1]},
        1.0,
        1,
    ),
    ("more good than total is no credit", {"a": [5, 1]}, {"a": [2, 2]}, 0.75, 2),
]


@pytest.mark.parametrize(
    ("good", "total", "ratio", "measured"), [row[1:] for row in TABLES], ids=[r[0] for r in TABLES]
)
def test_counting(
    good: dict[str, list[float]], total: dict[str, list[float]], ratio: float, measured: int
) -> None:
    """Otherwise a gap or a late group would count as good or as bad events."""
    steps = len(total["a"])
    watch = fed(frame(good) if good else None, frame(total), [], steps)
    group = [scope["k"] for scope in watch.groups.scopes].index("a")
    assert watch.budget(group).good_ratio == pytest.approx(ratio)
    covered = watch.windows().readings(group)[0].long_coverage
    assert covered == pytest.approx(measured / 12)


def test_bad_events_may_be_given_instead_of_good_ones() -> None:
    """Otherwise such an objective would be read upside down."""
    watch = ObjectiveWatch(example_objective(good_expr=None, bad_expr="b"), STEP_MS)
    watch.take(frame({"a": [1, 0]}), frame({"a": [4, 4]}), arrived(2))
    watch.feed(0, 2, 2 * STEP_MS)
    assert watch.budget(0).good_ratio == pytest.approx(0.875)


def test_the_budget_spans_the_period_and_forgets_what_is_older() -> None:
    """An outage leaves the budget when the period has passed, give or take one slot."""
    watch = ObjectiveWatch(example_objective(period_s=3_600), STEP_MS)
    watch.take(frame({"a": [0.0] * 10 + [10.0] * 800}), frame({"a": [10.0] * 810}), arrived(810))
    watch.feed(0, 10, 10 * STEP_MS)
    assert watch.budget(0).remaining == pytest.approx(1 - 1 / 0.01)
    watch.feed(10, 720, 720 * STEP_MS)
    assert watch.budget(0).consumed == pytest.approx(10 / 720 / 0.01)
    assert watch.budget(0).coverage == 1.0
    watch.feed(720, 810, 810 * STEP_MS)
    assert watch.budget(0).consumed == 0.0
