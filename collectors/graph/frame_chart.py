"""A frame as a chart, for drawing without a request."""

from __future__ import annotations

from datetime import UTC, tzinfo

from collectors.graph.chart import Chart, Layout, Line, LineStyle, Plot
from collectors.graph.palettes import color_picker
from collectors.graph.png import draw
from collectors.graph.summary import summarize
from collectors.graph.themes import theme_named
from collectors.model import Frame


def chart_of_frame(
    frame: Frame,
    *,
    title: str | None = None,
    ylabel: str | None = None,
    style: LineStyle = LineStyle.LINE,
    width: int = 700,
    height: int = 300,
    layout: Layout = Layout.CANVAS,
    theme: str = "light",
    zone: tzinfo = UTC,
) -> Chart:
    """Return a chart of ``frame`` on one axis, in the theme's own palette.

    Args:
        frame: The lines.
        title: Text above the canvas.
        ylabel: Text beside the axis.
        style: How every line is drawn.
        width: Pixels of the canvas or the image, as ``layout`` says.
        height: Pixels of the canvas or the image, as ``layout`` says.
        layout: What the sizes are of.
        theme: ``light`` or ``dark``.
        zone: Zone of the time axis.
    """
    ground = theme_named(theme)
    pick = color_picker(ground.palette)
    lines = tuple(
        Line(
            label=label,
            tags=tags,
            values=values,
            color=pick(label),
            summary=summarize(values),
            style=style,
        )
        for label, tags, values in zip(frame.labels, frame.tags, frame.values, strict=True)
    )
    steps = max(1, frame.values.shape[1])
    return Chart(
        plots=(Plot(lines=lines, ylabel=ylabel),),
        start_ms=frame.start_ms,
        end_ms=frame.start_ms + steps * frame.step_ms,
        step_ms=frame.step_ms,
        zones=(zone,),
        width=width,
        height=height,
        layout=layout,
        title=title,
        theme=ground,
    )


def draw_frame(
    frame: Frame, *, title: str | None = None, width: int = 700, height: int = 300
) -> bytes:
    """Return ``frame`` as a PNG of exactly ``width`` by ``height`` pixels."""
    chart = chart_of_frame(frame, title=title, width=width, height=height, layout=Layout.IMAGE)
    return draw(chart)
