"""Every kind of indicator and of budget, against figures worked out elsewhere or by hand."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.arrivals import Arrived
from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.counting import Comparison, Measure
from anomaly.slo.health import SliFault
from anomaly.slo.slices import SliceRule
from anomaly.slo.testing import example_objective
from anomaly.slo.watch import ObjectiveWatch
from collectors.model import Frame
from collectors.stacklang.lines.database import Window

STEP_MS = 60_000
NAN = float("nan")
Row = list[float]

# Figures of Nobl9's published example of the three methods, one value a minute.
GOOD = [2, 10, 12, 13, 13, 12, 13, 13, 12, 11]
ALL = [4, 10, 12, 13, 14, 15, 14, 13, 12, 11]


def frame(row: Row) -> Frame:
    return Frame(
        start_ms=STEP_MS,
        step_ms=STEP_MS,
        tags=[{"name": "x", "k": "a"}],
        labels=["a"],
        values=np.array([row], dtype=float),
    )


def fed(
    part: Row | None, total: Row, cuts: list[int] | None = None, **fields: Any
) -> ObjectiveWatch:
    watch = ObjectiveWatch(example_objective(**fields), STEP_MS)
    steps = len(total)
    window = Window(start_ms=STEP_MS, end_ms=steps * STEP_MS, step_ms=STEP_MS)
    watch.take(frame(part) if part else None, frame(total), Arrived.everything(window))
    for first, last in pairwise([0, *(cuts or []), steps]):
        watch.feed(first, last, last * STEP_MS)
    return watch


METHODS: list[tuple[str, SliceRule | None, float, float]] = [
    ("occurrences", None, 0.940678, 1.18644),
    ("time slices", SliceRule(length_s=60, allowed_bad=0.05), 0.6, 8.0),
    ("ratio time slices", SliceRule(length_s=60, allowed_bad=None), 0.9157143, 1.685714),
]


@pytest.mark.parametrize("counter", [True, False])
@pytest.mark.parametrize(
    ("slices", "good", "burn"), [m[1:] for m in METHODS], ids=[m[0] for m in METHODS]
)
def test_the_three_methods(
    slices: SliceRule | None, good: float, burn: float, *, counter: bool
) -> None:
    """Otherwise the same document would have another budget here than elsewhere."""
    watch = fed(
        [float(v) for v in GOOD],
        [float(v) for v in ALL],
        target=Fraction("0.95"),
        slices=slices,
        counter=counter,
    )
    assert watch.budget(0).good_ratio == pytest.approx(good, rel=1e-5)
    assert watch.budget(0).consumed == pytest.approx(burn, rel=1e-5)


def test_a_counter_counts_by_the_second_and_a_number_by_the_step() -> None:
    """Otherwise ten events a step would be six hundred, and no guard on their number would hold."""
    row = [10.0] * 5
    assert fed(row, row, counter=True).windows().readings(0)[3].long_total == 3_000
    assert fed(row, row, counter=False).windows().readings(0)[3].long_total == 50


VALUES: list[tuple[str, dict[str, Any], Row, float, int]] = [
    # what, fields, values by step, good ratio, measured steps
    ("raw success", {"measure": Measure.GOOD_SHARE}, [1, 0.5, NAN, 0.9], 0.8, 3),
    ("raw failure", {"measure": Measure.BAD_SHARE}, [0, 0.5, NAN, 0.1], 0.8, 3),
    ("raw above one is no credit", {"measure": Measure.GOOD_SHARE}, [7, 0], 0.5, 2),
    ("raw below nothing is no debt", {"measure": Measure.GOOD_SHARE}, [-7, 1], 0.5, 2),
    ("at most", {"comparison": Comparison(op="lte", value=0.2)}, [0.1, 0.2, 0.3, NAN], 2 / 3, 3),
    ("less", {"comparison": Comparison(op="lt", value=0.2)}, [0.1, 0.2, 0.3, NAN], 1 / 3, 3),
    ("at least", {"comparison": Comparison(op="gte", value=0.2)}, [0.1, 0.2, 0.3, NAN], 2 / 3, 3),
    ("more", {"comparison": Comparison(op="gt", value=0.2)}, [0.1, 0.2, 0.3, NAN], 1 / 3, 3),
    (
        "compared, in slices of two",
        {
            "comparison": Comparison(op="lte", value=1.0),
            "slices": SliceRule(length_s=120, allowed_bad=0.0),
        },
        [0, 2, 0, 0, NAN, NAN, 2, NAN],
        1 / 3,
        8,
    ),
]


@pytest.mark.parametrize(
    ("fields", "values", "good", "measured"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES]
)
def test_values(fields: dict[str, Any], values: Row, good: float, measured: int) -> None:
    """A value that is there counts once a step; what is not there counts neither way."""
    fields = {"measure": Measure.COMPARED, **fields} if "comparison" in fields else fields
    watch = fed(None, values, good_expr=None, total_expr="v", **fields)
    assert watch.budget(0).good_ratio == pytest.approx(good)
    if "slices" not in fields:
        assert watch.budget(0).coverage == pytest.approx(measured / 720)


def test_a_slice_without_events_is_neither() -> None:
    """Otherwise a night without data would be a night of good, or of bad, slices."""
    slices = SliceRule(length_s=120, allowed_bad=0.05)
    watch = fed([1, 1, NAN, NAN, 0, 0], [1, 1, NAN, NAN, 1, 1], slices=slices)
    budget = watch.budget(0)
    assert budget.good_ratio == 0.5
    assert budget.coverage == pytest.approx(4 / 720)


ABSURD: list[tuple[str, dict[str, Any], Row | None, Row]] = [
    ("more good than all", {}, [120] * 9, [100] * 9),
    ("negative", {}, [-5] * 9, [100] * 9),
    ("a percentage", {"measure": Measure.GOOD_SHARE, "good_expr": None}, None, [99.9] * 9),
    ("a negative ratio", {"measure": Measure.BAD_SHARE, "good_expr": None}, None, [-0.1] * 9),
]


@pytest.mark.parametrize(
    ("fields", "part", "total"), [row[1:] for row in ABSURD], ids=[row[0] for row in ABSURD]
)
def test_what_makes_no_sense_is_told(fields: dict[str, Any], part: Row | None, total: Row) -> None:
    """120 good of 100, or a ratio of 99.9, would otherwise be "ok" for ever."""
    watch = ObjectiveWatch(example_objective(**fields), STEP_MS)
    window = Window(start_ms=STEP_MS, end_ms=len(total) * STEP_MS, step_ms=STEP_MS)
    watch.take(frame(part) if part else None, frame(total), Arrived.everything(window))
    watch.learn(0, len(total), len(total) * STEP_MS)
    assert watch.health.told == [SliFault.ABSURD]


CALENDAR = CalendarWindow(start=datetime.fromisoformat("1970-01-01"), zone="UTC", count=1, unit="h")
KINDS: list[dict[str, Any]] = [
    {"slices": SliceRule(length_s=300, allowed_bad=0.1)},
    {"slices": SliceRule(length_s=420, allowed_bad=None)},
    {"calendar": CALENDAR, "period_s": 3_600},
    {"calendar": CALENDAR, "period_s": 3_600, "slices": SliceRule(length_s=180, allowed_bad=0.1)},
    {"measure": Measure.GOOD_SHARE},
]


@settings(deadline=None, max_examples=40)
@given(data=st.data(), kind=st.sampled_from(KINDS), steps=st.integers(1, 90))
def test_however_the_steps_are_cut(data: st.DataObject, kind: dict[str, Any], steps: int) -> None:
    """A start reads hours at once and then single steps: the figures must not tell which."""
    values = st.one_of(st.just(NAN), st.floats(0, 1, width=32))
    total = data.draw(st.lists(values, min_size=steps, max_size=steps))
    good = [value * 0.5 for value in total]
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, steps - 1)), max_size=5)))
    one = fed(good, total, [c for c in cuts if c < steps], **kind)
    other = fed(good, total, list(range(1, steps)), **kind)
    for group in range(len(one.states)):
        close = pytest.approx(one.budget(group).good_ratio, nan_ok=True)
        assert other.budget(group).good_ratio == close
        assert one.budget(group).coverage == other.budget(group).coverage


@pytest.mark.parametrize("kind", KINDS)
def test_going_back_leaves_no_trace(kind: dict[str, Any]) -> None:
    """Data that come late are judged again from where it stood: as if it had never gone on."""
    steps, half = 90, 41
    total = [float(v % 7) for v in range(steps)]
    good = [value * 0.5 for value in total]
    watch = ObjectiveWatch(example_objective(**kind), STEP_MS, spare_steps=steps)
    window = Window(start_ms=STEP_MS, end_ms=steps * STEP_MS, step_ms=STEP_MS)
    watch.take(frame(good), frame(total), Arrived.everything(window))
    watch.feed(0, half, half * STEP_MS)
    mark = watch.mark()
    watch.feed(half, steps, steps * STEP_MS)
    once = watch.budget(0)
    watch.back_to(mark)
    watch.feed(half, steps, steps * STEP_MS)
    assert watch.budget(0) == once
