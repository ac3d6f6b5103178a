"""A chart as a PNG image, in Atlas's layout.

From top to bottom: title, canvas with value axes left and right, one time axis a zone, legend,
frame line, warnings. With a fixed height everything below the time axes is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from collectors.graph.axes import (
    RIGHT_PADDING_PX,
    TIME_AXIS_PX,
    VALUE_AXIS_PX,
    axis_ticks,
    chart_time_ticks,
    draw_grid,
    draw_time_axis,
    draw_value_axis,
)
from collectors.graph.bounds import value_bounds
from collectors.graph.canvas import Canvas, draw_plot
from collectors.graph.chart import (
    MAX_HEIGHT_PX,
    MAX_WIDTH_PX,
    MAX_ZOOM,
    MIN_CANVAS_PX,
    Chart,
    LegendType,
)
from collectors.graph.elements import LARGE, SMALL, Element, Gap, Notices, Words, truncated
from collectors.graph.heatmap import Heatmap, build_heatmap
from collectors.graph.legend import legend_elements
from collectors.graph.scales import ValueScale
from collectors.graph.surface import Surface
from collectors.graph.writing import Align
from collectors.stacklang.text.durations import of_millis, short_text

MIN_WIDTH_FOR_TEXT = SMALL.width * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The sizes of an image, settled before anything is drawn. All in pixels before zoom."""

    width: int
    height: int
    above: tuple[Element, ...]
    below: tuple[Element, ...]
    graph_top: int
    graph_height: int
    canvas: Canvas
    scales: tuple[ValueScale, ...]
    heatmaps: tuple[Heatmap | None, ...]
    notices: tuple[str, ...]
    axes: bool


def draw(chart: Chart) -> bytes:
    """Return ``chart`` as PNG bytes of exactly the size that its layout asks for."""
    plan = arrange(chart)
    wide = chart.width >= MIN_WIDTH_FOR_TEXT
    hidden = bool(plan.notices) and (not wide or chart.layout.fixed_height)
    ground = chart.theme.warning if hidden else chart.theme.image
    surface = Surface(plan.width, plan.height, min(chart.zoom, MAX_ZOOM), ground)
    _stack(surface, plan.above, 0)
    _draw_graph(surface, chart, plan)
    _stack(surface, plan.below, plan.graph_top + plan.graph_height)
    return surface.png()


def image_size(chart: Chart) -> tuple[int, int]:
    """Return the columns and rows that :func:`draw` gives."""
    plan = arrange(chart)
    zoom = min(chart.zoom, MAX_ZOOM)
    return max(1, int(plan.width * zoom)), max(1, int(plan.height * zoom))


def arrange(chart: Chart) -> Arrangement:
    """Settle the size of the image and the place of its parts."""
    notices = chart.warnings + _restrictions(chart)
    above = _above(chart)
    title_height = sum(e.height(chart.width) for e in above)
    asked = chart.height - (title_height if chart.layout.fixed_height else 0)
    height = max(MIN_CANVAS_PX, min(MAX_HEIGHT_PX, asked))
    width = max(MIN_CANVAS_PX, min(MAX_WIDTH_PX, chart.width))
    if not (chart.only_graph or chart.layout.fixed_height):
        height += TIME_AXIS_PX * len(chart.zones)
    if not (chart.only_graph or chart.layout.fixed_width):
        width += _left_px(chart) + _right_px(chart)
    axes = not chart.only_graph and width - _left_px(chart) - _right_px(chart) >= MIN_CANVAS_PX
    canvas = _canvas(chart, width, title_height, height, axes=axes)
    scales = tuple(ValueScale(plot.scale, *value_bounds(plot)) for plot in chart.plots)
    heatmaps = tuple(
        build_heatmap(plot, scale, canvas.height)
        for plot, scale in zip(chart.plots, scales, strict=True)
    )
    below = _below(chart, heatmaps, notices, width)
    return Arrangement(
        width=width,
        height=title_height + height + sum(e.height(width) for e in below),
        above=above,
        below=below,
        graph_top=title_height,
        graph_height=height,
        canvas=canvas,
        scales=scales,
        heatmaps=heatmaps,
        notices=notices,
        axes=axes,
    )


def _left_px(chart: Chart) -> int:
    del chart
    return VALUE_AXIS_PX


def _right_px(chart: Chart) -> int:
    extra = len(chart.plots) - 1
    return VALUE_AXIS_PX * extra if extra > 0 else RIGHT_PADDING_PX


def _canvas(chart: Chart, width: int, top: int, height: int, *, axes: bool) -> Canvas:
    left = _left_px(chart) if axes else RIGHT_PADDING_PX
    right = _right_px(chart) if axes else RIGHT_PADDING_PX
    below = 10 if chart.only_graph else TIME_AXIS_PX * len(chart.zones)
    bottom = max(top + 1, top + height - below)
    return Canvas(left=left, top=top, right=max(left + 1, width - right), bottom=bottom)


def _restrictions(chart: Chart) -> tuple[str, ...]:
    checks = (
        (chart.height > MAX_HEIGHT_PX, f"Restricted graph height to {MAX_HEIGHT_PX}."),
        (chart.width > MAX_WIDTH_PX, f"Restricted graph width to {MAX_WIDTH_PX}."),
        (chart.zoom > MAX_ZOOM, f"Restricted zoom to {MAX_ZOOM}."),
    )
    return tuple(text for broken, text in checks if broken)


def _above(chart: Chart) -> tuple[Element, ...]:
    if not chart.title or chart.width < MIN_WIDTH_FOR_TEXT:
        return (Gap(5),)
    text = truncated(chart.title, chart.width, LARGE)
    title = Words(text=text, color=chart.theme.text, font=LARGE, align=Align.CENTER)
    return (title, Gap(5))


def _below(
    chart: Chart, heatmaps: tuple[Heatmap | None, ...], notices: tuple[str, ...], width: int
) -> tuple[Element, ...]:
    if chart.layout.fixed_height or chart.width < MIN_WIDTH_FOR_TEXT:
        return ()
    elements: list[Element] = []
    if chart.legend is not LegendType.OFF and not chart.only_graph:
        elements += legend_elements(chart, list(heatmaps), width)
        elements.append(Gap(15))
        elements.append(Words(text=frame_line(chart), color=chart.theme.text, font=SMALL))
    if notices:
        elements.append(Gap(15))
        theme = chart.theme
        elements.append(Notices(notices=notices, ground=theme.warning, color=theme.warning_text))
    return tuple(elements)


def frame_line(chart: Chart) -> str:
    """Return the line below the legend that says which time is shown."""
    frame = short_text(of_millis(chart.end_ms - chart.start_ms))
    step = short_text(of_millis(chart.step_ms))
    return f"Frame: {frame}, End: {zoned_time(chart.end_ms, chart.zones[0])}, Step: {step}"


def zoned_time(time_ms: int, zone: tzinfo) -> str:
    """Return a time with its offset and zone: ``2012-01-01T00:00-08:00[US/Pacific]``."""
    local = datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone)
    precision = "minutes" if local.second == 0 and local.microsecond == 0 else "seconds"
    text = local.replace(tzinfo=None).isoformat(timespec=precision)
    offset = local.strftime("%z")
    shown = "Z" if offset in ("+0000", "") else f"{offset[:3]}:{offset[3:5]}"
    return f"{text}{shown}[{zone}]"


def _stack(surface: Surface, elements: tuple[Element, ...], top: int) -> None:
    y = top
    for element in elements:
        element.draw(surface, 0, y, surface.width)
        y += element.height(surface.width)


def _draw_graph(surface: Surface, chart: Chart, plan: Arrangement) -> None:
    canvas = plan.canvas
    surface.rectangle(canvas.left, canvas.top, canvas.right, canvas.bottom + 1, chart.theme.canvas)
    with surface.clipped(canvas.left, canvas.top, canvas.right, canvas.bottom + 1):
        for plot, scale, heatmap in zip(chart.plots, plan.scales, plan.heatmaps, strict=True):
            draw_plot(surface, canvas, plot, scale, heatmap)
        first = axis_ticks(canvas, chart.plots[0], plan.scales[0])
        times = chart_time_ticks(chart, canvas, chart.zones[0])
        draw_grid(surface, chart, canvas, times, first)
    if not chart.only_graph:
        for i, zone in enumerate(chart.zones):
            top = canvas.bottom + 1 + TIME_AXIS_PX * i
            draw_time_axis(surface, chart, canvas, top, zone, faint=i == 0)
    if plan.axes:
        _draw_value_axes(surface, chart, plan)


def _draw_value_axes(surface: Surface, chart: Chart, plan: Arrangement) -> None:
    canvas = plan.canvas
    for i, (plot, scale) in enumerate(zip(chart.plots, plan.scales, strict=True)):
        color = plot.axis_color or chart.theme.text
        ticks = axis_ticks(canvas, plot, scale)
        x = canvas.left - 1 if i == 0 else canvas.right + VALUE_AXIS_PX * (i - 1)
        draw_value_axis(surface, canvas, plot, ticks=ticks, x=x, color=color, right=i > 0)
