"""Time and value axes with their grids."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

import numpy as np

from collectors.graph.canvas import Canvas
from collectors.graph.chart import Chart, Plot
from collectors.graph.color import Color
from collectors.graph.elements import NORMAL, SMALL, truncated
from collectors.graph.scales import ValueScale
from collectors.graph.surface import Surface
from collectors.graph.ticks import ValueTick, value_ticks
from collectors.graph.time_ticks import TimeTick, time_ticks
from collectors.graph.unit_prefix import TickLabels
from collectors.graph.writing import Align

TICK_PX = 4
TICK_LABEL_PX = SMALL.width * 7
VALUE_AXIS_PX = NORMAL.height + TICK_LABEL_PX + TICK_PX + 1
TIME_AXIS_PX = 10 + SMALL.height
# Room for the half of the last time label that hangs over the canvas.
RIGHT_PADDING_PX = SMALL.width * 4
_TIME_LABEL_PX = SMALL.width * 7
_MIN_TICK_PX = SMALL.height * 3
_RED = Color(255, 0, 0)


def chart_time_ticks(chart: Chart, canvas: Canvas, zone: tzinfo) -> list[tuple[float, TimeTick]]:
    """Return the x of each mark on the time axis, left to right."""
    begin_ms = chart.start_ms - chart.step_ms
    last_ms = chart.end_ms - chart.step_ms
    ticks = time_ticks(begin_ms, last_ms, zone, canvas.width // _TIME_LABEL_PX)
    span = max(1, last_ms - begin_ms)
    return [(canvas.left + canvas.width * (t.time_ms - begin_ms) / span, t) for t in ticks]


def axis_ticks(canvas: Canvas, plot: Plot, scale: ValueScale) -> list[tuple[float, ValueTick]]:
    """Return the y of each mark on a value axis."""
    ticks = value_ticks(scale, canvas.height // _MIN_TICK_PX, plot.tick_labels)
    ys = canvas.y(scale, np.array([t.value for t in ticks], dtype=np.float64))
    return [(float(y), t) for y, t in zip(ys, ticks, strict=True)]


def draw_grid(
    surface: Surface,
    chart: Chart,
    canvas: Canvas,
    times: list[tuple[float, TimeTick]],
    values: list[tuple[float, ValueTick]],
) -> None:
    """Draw the dashed grid over the canvas."""
    for major, color in ((False, chart.theme.minor_grid), (True, chart.theme.major_grid)):
        upright = [(x, canvas.top, x, canvas.bottom) for x, t in times if t.major is major]
        level = [(canvas.left, y, canvas.right, y) for y, t in values if t.major is major]
        surface.segments([*upright, *level], color, dashed=True)


def draw_time_axis(
    surface: Surface, chart: Chart, canvas: Canvas, top: int, zone: tzinfo, *, faint: bool
) -> None:
    """Draw one time axis below the canvas, with its zone at the left."""
    text = chart.theme.text
    rule = [(canvas.left, top, canvas.right, top)]
    # Faint against the canvas: a line at the very bottom stays visible.
    surface.segments(rule, text.with_alpha(40) if faint else text)
    baseline = top + SMALL.height / 2 + SMALL.ascent
    majors = [(x, t) for x, t in chart_time_ticks(chart, canvas, zone) if t.major]
    surface.segments([(x, top, x, top + TICK_PX) for x, _ in majors], text)
    for x, tick in majors:
        color = _RED if tick.change else text
        surface.text(x, baseline, tick.label, size=SMALL.size, color=color, align=Align.CENTER)
    name = datetime.fromtimestamp(chart.start_ms / 1000, UTC).astimezone(zone).tzname() or ""
    left = canvas.left - _TIME_LABEL_PX / 2 - 6
    surface.text(left, baseline, name, size=SMALL.size, color=text, align=Align.RIGHT)


def draw_value_axis(
    surface: Surface,
    canvas: Canvas,
    plot: Plot,
    *,
    ticks: list[tuple[float, ValueTick]],
    x: int,
    color: Color,
    right: bool,
) -> None:
    """Draw a value axis whose rule stands at ``x``, marks and label outwards."""
    out = 1 if right else -1
    majors = [(y, t) for y, t in ticks if t.major]
    marks = [(x, y, x + out * TICK_PX, y) for y, _ in majors]
    surface.segments([(x, canvas.top, x, canvas.bottom), *marks], color)
    align = Align.LEFT if right else Align.RIGHT
    if plot.tick_labels is not TickLabels.OFF:
        for y, tick in majors:
            surface.text(
                x + out * (TICK_PX + 3),
                y + SMALL.size * 0.35,
                tick.label,
                size=SMALL.size,
                color=color,
                align=align,
            )
    if plot.ylabel:
        surface.text(
            x + out * (VALUE_AXIS_PX - (6 if right else NORMAL.size)),
            (canvas.top + canvas.bottom) / 2,
            truncated(plot.ylabel, canvas.height, NORMAL),
            size=NORMAL.size,
            color=color,
            align=Align.CENTER,
            upwards=True,
        )
