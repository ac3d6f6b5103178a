"""Scales, bounds, ticks and unit prefixes."""

from __future__ import annotations

import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.graph.bounds import stacked, value_bounds
from collectors.graph.chart import AutoBound, Bound, Line, LineStyle, Plot
from collectors.graph.color import Color
from collectors.graph.percentile_range import percentile_range
from collectors.graph.scales import ScaleKind, ValueScale
from collectors.graph.summary import summarize
from collectors.graph.ticks import tick_labels, value_ticks
from collectors.graph.time_ticks import time_ticks
from collectors.graph.unit_prefix import TickLabels, binary, decimal, duration, prefix_for

NAN = math.nan
HOUR = 3_600_000


def make_line(
    values: list[float], style: LineStyle = LineStyle.LINE, tags: dict[str, str] | None = None
) -> Line:
    array = np.array(values, dtype=np.float64)
    return Line(
        label="x",
        tags=tags or {},
        values=array,
        color=Color(0, 0, 0),
        style=style,
    )


@pytest.mark.parametrize(
    ("values", "count", "total", "low", "high", "last"),
    [
        ([-1.0, -2.0], 2, -3.0, -2.0, -1.0, -2.0),
        ([1.0, math.inf], 2, math.inf, 1.0, math.inf, math.inf),
        ([3.0, NAN, 1.0, NAN], 2, 4.0, 1.0, 3.0, 1.0),
    ],
)
def test_statistics_leave_gaps_out(
    values: list[float], count: int, total: float, low: float, high: float, last: float
) -> None:
    """The numbers in a legend would count what is missing as zero."""
    s = summarize(np.array(values))
    assert (s.count, s.total, s.min, s.max, s.last) == (count, total, low, high, last)


def test_statistics_of_nothing_are_not_numbers() -> None:
    """A line without data would show an average of zero."""
    s = summarize(np.array([NAN, NAN]))
    assert s.count == 0
    assert all(math.isnan(v) for v in (s.avg, s.total, s.min, s.max, s.last))


@pytest.mark.parametrize("kind", list(ScaleKind))
@given(st.floats(-1e12, 1e12), st.floats(1e-3, 1e12), st.floats(0.0, 1.0))
def test_a_scale_keeps_its_ends_and_its_order(
    kind: ScaleKind, low: float, span: float, fraction: float
) -> None:
    """A larger value would be drawn below a smaller one."""
    scale = ValueScale(kind, low, low + span)
    if not scale.low < scale.high:
        return
    middle = scale.at(fraction)
    placed = scale.fraction(np.array([scale.low, middle, scale.high]))
    if not np.isnan(placed).any():
        assert placed[0] == pytest.approx(0.0, abs=1e-6)
        assert placed[2] == pytest.approx(1.0, abs=1e-6)
    assert np.all(np.abs(placed[~np.isnan(placed)]) <= 5.0)


@pytest.mark.parametrize(
    ("kind", "value", "fraction"),
    [
        (ScaleKind.LINEAR, 25.0, 0.25),
        (ScaleKind.SQRT, 25.0, 0.5),
        (ScaleKind.POWER_2, 50.0, 0.25),
        (ScaleKind.LOGARITHMIC, math.sqrt(101.0) - 1.0, 0.5),
    ],
)
def test_a_value_has_its_place(kind: ScaleKind, value: float, fraction: float) -> None:
    """Lines would be drawn at heights that the axis does not say."""
    place = ValueScale(kind, 0.0, 100.0).fraction(np.array([value]))
    assert place[0] == pytest.approx(fraction)


def test_log_linear_gives_each_decade_the_same_length() -> None:
    """A heat map of latencies would squeeze the short ones together."""
    scale = ValueScale(ScaleKind.LOG_LINEAR, 1.0, 1000.0)
    places = scale.fraction(np.array([1.0, 10.0, 100.0, 1000.0, 5.5]))
    assert places.tolist() == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0, 1 / 6])


@pytest.mark.parametrize(
    ("values", "style", "lower", "upper", "bounds"),
    [
        ([2.0, 5.0], LineStyle.LINE, "auto-style", "auto-style", (2.0, 5.0)),
        ([2.0, 5.0], LineStyle.AREA, "auto-style", "auto-style", (0.0, 5.0)),
        ([2.0, 5.0], LineStyle.AREA, "auto-data", "auto-style", (2.0, 5.0)),
        ([-2.0, -5.0], LineStyle.STACK, "auto-style", "auto-style", (-5.0, 0.0)),
        ([3.0, 3.0], LineStyle.LINE, "auto-style", "auto-style", (2.0, 4.0)),
        ([NAN, NAN], LineStyle.LINE, "auto-style", "auto-style", (0.0, 1.0)),
        ([2.0, 5.0], LineStyle.LINE, 1.0, 9.0, (1.0, 9.0)),
        ([2.0, 5.0], LineStyle.LINE, 7.0, "auto-style", (7.0, 8.0)),
        ([2.0, 5.0], LineStyle.LINE, "auto-style", 1.0, (0.0, 1.0)),
        ([1.0, math.inf], LineStyle.LINE, "auto-style", "auto-style", (0.0, 2.0)),
        ([1.0, 0.0], LineStyle.VSPAN, "auto-style", "auto-style", (0.0, 1.0)),
    ],
)
def test_bounds_follow_data_style_and_wishes(
    values: list[float],
    style: LineStyle,
    lower: str | float,
    upper: str | float,
    bounds: tuple[float, float],
) -> None:
    """An area would float above zero, or a line be cut off."""

    def bound(given: str | float) -> Bound:
        return AutoBound(given) if isinstance(given, str) else given

    plot = Plot(lines=(make_line(values, style),), lower=bound(lower), upper=bound(upper))
    assert value_bounds(plot) == bounds


def test_stacks_pile_up_on_both_sides_of_zero() -> None:
    """Negative parts of a stack would hide behind positive ones."""
    rows = [[1.0, -1.0, NAN], [2.0, 3.0, 4.0], [5.0, -6.0, 7.0]]
    plot = Plot(lines=tuple(make_line(row, LineStyle.STACK) for row in rows))
    tops = [top.tolist() for _, _, top in stacked(plot.lines)]
    bases = [base.tolist() for _, base, _ in stacked(plot.lines)]
    assert tops == [[1.0, -1.0, 0.0], [3.0, 3.0, 4.0], [8.0, -7.0, 11.0]]
    assert bases == [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [3.0, -1.0, 4.0]]
    assert value_bounds(plot) == (-7.0, 11.0)


@given(st.lists(st.floats(allow_nan=True), min_size=1, max_size=6), st.sampled_from(LineStyle))
def test_bounds_are_finite_and_apart_for_any_data(values: list[float], style: LineStyle) -> None:
    """A constant or infinite line would divide by zero."""
    low, high = value_bounds(Plot(lines=(make_line(values, style),)))
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low < high


@pytest.mark.parametrize(
    ("format_of", "value", "text"),
    [
        (decimal, 0.0, "0.0"),
        (decimal, 999.0, "999.0"),
        (decimal, 1e3, "1.0k"),
        (decimal, -2.5e6, "-2.5M"),
        (decimal, 0.02, "20.0m"),
        (decimal, 1e-9, "1.0n"),
        (decimal, 1e180, "1.0e+180"),
        (decimal, math.inf, "inf"),
        (binary, 1536.0, "1.5Ki"),
        (binary, 0.5, "500.0m"),
        (binary, 3 * 1024.0**3, "3.0Gi"),
        (duration, 90.0, "1.5min"),
        (duration, 0.25, "250.0ms"),
        (duration, 0.0, "0.0s"),
    ],
)
def test_numbers_get_a_prefix(format_of: object, value: float, text: str) -> None:
    """An axis would say 1000000 where people read 1M, or the wrong prefix."""
    assert callable(format_of)
    assert format_of(value).format(value) == text


@pytest.mark.parametrize(
    ("low", "high", "labels", "texts"),
    [
        (0.0, 10.0, TickLabels.DECIMAL, ["0.0", "2.0", "4.0", "6.0", "8.0", "10.0"]),
        (0.0, 2048.0, TickLabels.BINARY, ["0.0", "512.0", "1.0Ki", "1.5Ki", "2.0Ki"]),
        (0.0, 240.0, TickLabels.DURATION, ["0.0s", "1.0min", "2.0min", "3.0min", "4.0min"]),
        (0.0, 10.0, TickLabels.OFF, ["", "", "", "", "", ""]),
    ],
)
def test_marks_stand_at_round_values(
    low: float, high: float, labels: TickLabels, texts: list[str]
) -> None:
    """Readers would have to interpolate between odd numbers."""
    ticks = value_ticks(ValueScale(ScaleKind.LINEAR, low, high), 5, labels)
    assert [t.label for t in ticks if t.major] == texts


def test_marks_too_close_to_tell_apart_are_written_as_distances() -> None:
    """Every mark of a narrow axis would bear the same label."""
    assert tick_labels([1e9, 1e9 + 0.5, 1e9 + 1.0], TickLabels.DECIMAL) == ["1.0G", "+0.5", "+1.0"]


@pytest.mark.parametrize(
    ("kind", "low", "high", "texts"),
    [
        (
            ScaleKind.LOGARITHMIC,
            0.0,
            1e6,
            ["0.0", "10.0", "100.0", "1.0k", "10.0k", "100.0k", "1.0M"],
        ),
        (
            ScaleKind.LOGARITHMIC,
            -1e3,
            1e3,
            ["-1.0k", "-100.0", "-10.0", "0.0", "10.0", "100.0", "1.0k"],
        ),
        (ScaleKind.LOG_LINEAR, 1.0, 1e3, ["1.0", "10.0", "100.0", "1.0k"]),
        (ScaleKind.SQRT, 0.0, 100.0, ["0.0", "2.8", "11.0", "25.0", "44.0", "69.0", "100.0"]),
    ],
)
def test_logarithmic_axes_are_marked_at_powers_of_ten(
    kind: ScaleKind, low: float, high: float, texts: list[str]
) -> None:
    """The marks of a logarithmic axis would crowd at its end."""
    ticks = value_ticks(ValueScale(kind, low, high), 6, TickLabels.DECIMAL)
    assert [t.label for t in ticks if t.major] == texts


@given(
    st.floats(-1e300, 1e300),
    st.floats(-1e300, 1e300),
    st.integers(1, 30),
    st.sampled_from(ScaleKind),
    st.sampled_from(TickLabels),
)
@example(low=-5e-324, high=0.0, wanted=1, kind=ScaleKind.LINEAR, labels=TickLabels.OFF)
def test_marks_lie_within_the_axis_and_are_few(
    low: float, high: float, wanted: int, kind: ScaleKind, labels: TickLabels
) -> None:
    """Some range would draw thousands of marks, or marks outside."""
    if not low < high or not math.isfinite(high - low):
        return
    ticks = value_ticks(ValueScale(kind, low, high), wanted, labels)
    slack = (high - low) * 1e-6 + abs(low) * 1e-9
    assert all(low - slack <= t.value <= high + slack for t in ticks)
    assert sum(t.major for t in ticks) <= 3 * wanted + 3
    assert all(len(prefix_for(labels, t.value).format(t.value)) < 400 for t in ticks)


@pytest.mark.parametrize(
    ("zone", "span_h", "labels"),
    [
        ("UTC", 3, ["10:30", "11:00", "11:30", "12:00", "12:30", "13:00"]),
        ("Asia/Kolkata", 3, ["16:00", "16:30", "17:00", "17:30", "18:00", "18:30"]),
        ("US/Pacific", 60, ["Mar08", "+1H", "Mar09", "12:00", "Mar10"]),
        ("UTC", 24 * 365, ["May", "Jul", "Sep", "Nov", "2015", "Mar"]),
        (
            "UTC",
            24 * 365 * 40,
            [str(year) for year in range(1980, 2016, 5)],
        ),
    ],
)
def test_time_marks_are_round_on_the_wall_clock(zone: str, span_h: int, labels: list[str]) -> None:
    """Marks would stand at 13 minutes past, or lie when clocks change."""
    end = 1_425_993_180_000  # 2015-03-10T13:13Z, two days after clocks in California changed
    ticks = time_ticks(end - span_h * HOUR, end, ZoneInfo(zone), 8)
    majors = [t.label for t in ticks if t.major]
    assert majors == labels
    assert [t.label for t in ticks if t.change] == (["+1H"] if span_h == 60 else [])


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 10**12), st.integers(1, 40))
def test_time_marks_lie_within_the_axis_and_are_few(start: int, span: int, wanted: int) -> None:
    """Some range of time would draw thousands of marks, or none."""
    ticks = time_ticks(start, start + span, ZoneInfo("Australia/Lord_Howe"), wanted)
    assert all(start <= t.time_ms <= start + span for t in ticks)
    assert sum(t.major for t in ticks) <= 3 * wanted + 3
    assert len(ticks) <= 30 * wanted + 60


def test_a_line_of_a_percentile_heat_map_knows_its_bucket() -> None:
    """A heat map would draw latencies at the wrong height."""
    heat = make_line([1.0], LineStyle.HEATMAP, {"percentile": "T0083"})
    low, high = percentile_range(heat) or (0.0, 0.0)
    assert low <= 1.0 < high < 1.5
    whole = percentile_range(replace(heat, tags={"percentile": "D0083"}))
    assert whole == pytest.approx((low * 1e9, high * 1e9))
    assert percentile_range(replace(heat, style=LineStyle.LINE)) is None
    assert percentile_range(replace(heat, tags={"percentile": "TFFFF"})) is None
    assert percentile_range(replace(heat, tags={"percentile": "T-001"})) is None
