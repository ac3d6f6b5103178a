"""Images: their exact size, and what stands at some of their pixels."""

from __future__ import annotations

import io
import struct
import threading
from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from collectors.graph.chart import (
    AutoBound,
    Chart,
    HeatmapSettings,
    Layout,
    LegendType,
    Line,
    LineStyle,
    Plot,
)
from collectors.graph.color import Color
from collectors.graph.heatmap import build_heatmap
from collectors.graph.png import arrange, draw, frame_line, image_size
from collectors.graph.scales import ScaleKind, ValueScale
from collectors.graph.themes import DARK, LIGHT

MINUTE = 60_000
RED, GREEN, BLUE = Color(255, 0, 0), Color(0, 200, 0), Color(0, 0, 255)
# Value axis, canvas of 700, room at the right; title gap, canvas of 300, time axis.
CANVAS_WIDTH = 64 + 700 + 24
GRAPH_HEIGHT = 5 + 300 + 24
LEGEND = 5 + 5 + (2 + 59) + 15 + 14


def make_line(
    values: list[float],
    color: Color = RED,
    style: LineStyle = LineStyle.LINE,
    label: str = "line",
    tags: dict[str, str] | None = None,
) -> Line:
    array = np.array(values, dtype=np.float64)
    return Line(
        label=label,
        tags=tags or {},
        values=array,
        color=color,
        style=style,
    )


def make_chart(*lines: Line, **changes: object) -> Chart:
    steps = lines[0].values.size
    chart = Chart(
        plots=(Plot(lines=lines),), start_ms=MINUTE, end_ms=MINUTE * (steps + 1), step_ms=MINUTE
    )
    return replace(chart, **changes)  # type: ignore[arg-type] # the names are checked at run time


def png_size(image: bytes) -> tuple[int, int]:
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", image[16:24])
    return width, height


def pixels(image: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))


def canvas_of(chart: Chart) -> NDArray[np.uint8]:
    box = arrange(chart).canvas
    return pixels(draw(chart))[box.top : box.bottom + 1, box.left : box.right]


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (CANVAS_WIDTH, GRAPH_HEIGHT + LEGEND)),
        ({"legend": LegendType.OFF}, (CANVAS_WIDTH, GRAPH_HEIGHT)),
        ({"legend": LegendType.LABELS_ONLY}, (CANVAS_WIDTH, GRAPH_HEIGHT + LEGEND - 42)),
        ({"title": "SPS"}, (CANVAS_WIDTH, GRAPH_HEIGHT + LEGEND + 19)),
        ({"zones": (UTC, UTC)}, (CANVAS_WIDTH, GRAPH_HEIGHT + LEGEND + 24)),
        ({"only_graph": True}, (700, 305)),
        ({"layout": Layout.IMAGE}, (700, 300)),
        ({"layout": Layout.IMAGE, "title": "SPS"}, (700, 300)),
        ({"layout": Layout.IMAGE_WIDTH}, (700, GRAPH_HEIGHT + LEGEND)),
        ({"layout": Layout.IMAGE_HEIGHT}, (CANVAS_WIDTH, 300)),
        ({"layout": Layout.IMAGE, "width": 400, "height": 175}, (400, 175)),
        ({"layout": Layout.IMAGE, "zoom": 0.2}, (140, 60)),
        ({"layout": Layout.IMAGE, "zoom": 1.75}, (1225, 525)),
        ({"layout": Layout.IMAGE, "zoom": 7.0}, (1400, 600)),
        ({"layout": Layout.IMAGE, "width": 1, "height": 1}, (64, 69)),
        ({"layout": Layout.IMAGE, "width": 5000, "height": 7500}, (2000, 1005)),
        ({"width": 70, "height": 70}, (64 + 70 + 24, 5 + 70 + 24)),
        ({"warnings": ("one",)}, (CANVAS_WIDTH, GRAPH_HEIGHT + LEGEND + 15 + 16 + 2 + 16)),
    ],
)
def test_an_image_has_exactly_the_size_that_its_layout_asks_for(
    changes: dict[str, object], size: tuple[int, int]
) -> None:
    """Pages that reserve room for an image would shift or clip it."""
    chart = make_chart(make_line([1.0, 2.0, 3.0]), **changes)
    assert image_size(chart) == size
    assert png_size(draw(chart)) == size


def test_every_further_axis_widens_the_image_by_its_own_width() -> None:
    """A second axis would be drawn over the first, or over the lines."""
    plots = tuple(Plot(lines=(make_line([1.0, 2.0]),)) for _ in range(3))
    chart = replace(make_chart(make_line([1.0, 2.0])), plots=plots, legend=LegendType.OFF)
    assert png_size(draw(chart)) == (64 + 700 + 2 * 64, GRAPH_HEIGHT)


def test_an_area_fills_from_zero_to_its_value() -> None:
    """An area would be filled on the wrong side of its line."""
    chart = make_chart(make_line([4.0, 4.0, 2.0, 2.0], GREEN, LineStyle.AREA), only_graph=True)
    canvas = canvas_of(chart)
    rows, columns, _ = canvas.shape
    assert canvas[rows // 4, columns // 4].tolist() != canvas[rows // 4, 3 * columns // 4].tolist()
    assert _is(canvas, 0.75, 0.20, GREEN)
    assert _is(canvas, 0.75, 0.80, GREEN)
    assert _is(canvas, 0.20, 0.80, Color(255, 255, 255))


def test_stacks_stand_on_each_other() -> None:
    """The upper part of a stack would hide the lower one."""
    below = make_line([1.0, 1.0], BLUE, LineStyle.STACK)
    above = make_line([1.0, 1.0], GREEN, LineStyle.STACK)
    canvas = canvas_of(make_chart(below, above, only_graph=True))
    assert _is(canvas, 0.76, 0.52, BLUE)
    assert _is(canvas, 0.26, 0.52, GREEN)


def test_a_span_covers_the_whole_height_where_it_is_on() -> None:
    """A maintenance window could not be seen behind the lines."""
    span = make_line([0.0, 1.0, np.nan, 0.0], BLUE, LineStyle.VSPAN)
    canvas = canvas_of(make_chart(span, only_graph=True))
    for height in (0.03, 0.52, 0.97):
        assert _is(canvas, height, 0.38, BLUE)
        assert _is(canvas, height, 0.13, Color(255, 255, 255))
        assert _is(canvas, height, 0.63, Color(255, 255, 255))


def test_a_gap_in_a_line_stays_empty() -> None:
    """Missing data would look like a straight line."""
    line = make_line([1.0, np.nan, 2.0, 1.0], BLUE)
    canvas = canvas_of(make_chart(line, only_graph=True)).astype(np.int64)
    blue: NDArray[np.bool_] = np.any(canvas[:, :, 2] - canvas[:, :, 0] > 150, axis=0)
    quarter = len(blue) // 4
    assert blue[2 : quarter - 2].all()
    assert not blue[quarter + 2 : 2 * quarter - 2].any()


def test_a_heat_map_is_strongest_where_most_lines_are() -> None:
    """A heat map would show the rare values as the common ones."""
    rows = [[10.0, 10.0], [10.2, 90.0], [10.4, 10.0], [90.0, 10.0]]
    lines = [make_line(row, BLUE, LineStyle.HEATMAP) for row in rows]
    chart = make_chart(*lines, only_graph=True)
    scale = ValueScale(ScaleKind.LINEAR, 0.0, 100.0)
    heatmap = build_heatmap(chart.plots[0], scale, 300)
    assert heatmap is not None
    assert heatmap.counts.sum() == 8
    assert heatmap.counts.max(axis=1).tolist() == [3.0, 3.0]
    strong = canvas_of(replace(chart, plots=(replace(chart.plots[0], lower=0.0, upper=100.0),)))
    assert _is(strong, 0.90, 0.25, BLUE)
    assert _is(strong, 0.45, 0.25, Color(255, 255, 255))


def test_a_percentile_heat_map_spreads_a_bucket_over_the_cells_it_covers() -> None:
    """Wide buckets would be stripes with gaps between them."""
    line = make_line([6.0], BLUE, LineStyle.HEATMAP, tags={"percentile": "D000B"})
    low, high = 11.0, 12.0  # bucket 11 holds values over 11 up to 12
    plot = Plot(lines=(line,), heatmap=HeatmapSettings(label="spread"))
    heatmap = build_heatmap(plot, ValueScale(ScaleKind.LINEAR, low - 0.5, high + 0.5), 1000)
    assert heatmap is not None
    inside = (heatmap.edges[:-1] >= low - 1e-9) & (heatmap.edges[1:] <= high + 1e-9)
    assert heatmap.counts.sum() == pytest.approx(6.0)
    assert heatmap.counts[0][inside].sum() == pytest.approx(6.0)


def test_the_ground_follows_the_theme_and_tells_of_hidden_warnings() -> None:
    """A dark dashboard would flash white, or hide that data are missing."""
    line = make_line([1.0, 2.0])
    corner = {
        name: pixels(draw(chart))[-1, -1].tolist()
        for name, chart in {
            "light": make_chart(line),
            "dark": make_chart(line, theme=DARK),
            "hidden": make_chart(line, layout=Layout.IMAGE, warnings=("x",)),
        }.items()
    }
    assert corner == {"light": [245] * 3, "dark": [10] * 3, "hidden": [255, 200, 0]}
    assert LIGHT.palette != DARK.palette


def test_dollar_signs_and_control_characters_in_labels_are_only_text() -> None:
    """A label could be taken for a formula and fail the image."""
    label = "$\\frac{1}{0}$ \x00\x1b[31m\n\ud800 ☃ 日本"
    assert png_size(draw(make_chart(make_line([1.0, 2.0], label=label), title=label)))


def test_images_drawn_at_the_same_time_are_those_drawn_alone() -> None:
    """Two requests at once would draw into each other's image."""
    charts = [make_chart(make_line([float(i), 2.0, 3.0])) for i in range(4)]
    alone = [draw(chart) for chart in charts]
    together: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda i=i, c=c: together.__setitem__(i, draw(c)))
        for i, c in enumerate(charts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[i] for i in range(4)] == alone


def test_the_frame_line_says_which_time_is_shown() -> None:
    """A saved image would not say when it was."""
    chart = make_chart(make_line([1.0] * 5))
    assert frame_line(chart) == "Frame: 5m, End: 1970-01-01T00:06Z[UTC], Step: 1m"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.floats(), min_size=3, max_size=3), min_size=0, max_size=3),
    st.sampled_from(LineStyle),
    st.sampled_from(ScaleKind),
    st.sampled_from([AutoBound.STYLE, AutoBound.DATA]),
)
def test_any_values_can_be_drawn(
    rows: list[list[float]], style: LineStyle, scale: ScaleKind, bound: AutoBound
) -> None:
    """Odd values would be an internal error instead of an image."""
    lines = tuple(make_line(row, style=style) for row in rows)
    plot = Plot(lines=lines, scale=scale, lower=bound)
    chart = Chart(
        plots=(plot,),
        start_ms=0,
        end_ms=3 * MINUTE,
        step_ms=MINUTE,
        width=100,
        height=80,
        layout=Layout.IMAGE,
    )
    assert png_size(draw(chart)) == (100, 80)


def _is(canvas: NDArray[np.uint8], height: float, width: float, color: Color) -> bool:
    """Whether most pixels around a place have a color; the grid covers a few."""
    row, column = int(canvas.shape[0] * height), int(canvas.shape[1] * width)
    patch = canvas[max(0, row - 3) : row + 4, column - 3 : column + 4].reshape(-1, 3)
    same = np.abs(patch.astype(int) - [color.red, color.green, color.blue]).max(axis=1) < 12
    return bool(same.mean() > 0.5)
