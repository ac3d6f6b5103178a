"""The legend below a canvas: colour, label and statistics of each line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from collectors.graph.chart import MAX_LEGEND_LINES, Chart, LegendType, Line, Plot
from collectors.graph.color import Color
from collectors.graph.elements import NORMAL, SMALL, Element, Font, Gap, Words, truncated
from collectors.graph.heatmap import Heatmap
from collectors.graph.surface import Surface
from collectors.graph.themes import Theme
from collectors.graph.unit_prefix import TickLabels, prefix_for
from collectors.graph.writing import Align

MIN_WIDTH_FOR_STATS = SMALL.width * 45
_BOX = NORMAL.height - 4
_SCALE_PX = SMALL.width * 38


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """One line's entry, with three rows of statistics when there is room."""

    line: Line
    labels: TickLabels
    theme: Theme
    stats: bool

    def height(self, width: int) -> int:
        """Return the height of the label and the statistics."""
        del width
        return NORMAL.height + (3 * SMALL.height if self.stats else 0)

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Draw the colour box, the label and the statistics."""
        box = (left + 2, top + 2, left + 2 + _BOX, top + 2 + _BOX)
        # A transparent colour looks in the legend as it does on the canvas.
        surface.rectangle(*box, self.theme.canvas)
        surface.rectangle(*box, self.line.color)
        _outline(surface, box, self.theme.text)
        label = truncated(self.line.label, right - left - _BOX - 4, NORMAL)
        x = left + _BOX + 8
        _write(surface, x, top, label, font=NORMAL, color=self.theme.text)
        for i, row in enumerate(self._rows() if self.stats else []):
            y = top + NORMAL.height + i * SMALL.height
            _write(surface, x, y, row, font=SMALL, color=self.theme.text)

    def _rows(self) -> list[str]:
        s = self.line.summary
        number = [format_statistic(v, self.labels) for v in (s.max, s.min, s.avg, s.last, s.total)]
        count = format_statistic(float(s.count), TickLabels.DECIMAL)
        return [
            f"    Max : {number[0]:<11}   Min  : {number[1]:<11}",
            f"    Avg : {number[2]:<11}   Last : {number[3]:<11}",
            f"    Tot : {number[4]:<11}   Cnt  : {count:<11}",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapEntry:
    """A heat map's entry: its label and which colour stands for which count."""

    heatmap: Heatmap
    theme: Theme
    stats: bool

    def height(self, width: int) -> int:
        """Return the height of the label and the colour scale."""
        del width
        return NORMAL.height * (3 if self.stats else 1)

    def draw(self, surface: Surface, left: int, top: int, right: int) -> None:
        """Draw the label and the colour scale."""
        label = truncated(self.heatmap.settings.label or "Heatmap", right - left, NORMAL)
        _write(surface, left + 4, top, label, font=NORMAL, color=self.theme.text)
        if not self.stats:
            return
        colors = self.heatmap.colors
        width = _SCALE_PX // max(1, len(colors))
        x0 = left + SMALL.width * 4 + _BOX + 4
        y0 = top + NORMAL.height
        for i, color in enumerate(colors):
            surface.rectangle(x0 + i * width, y0, x0 + (i + 1) * width, y0 + _BOX, color)
        end = x0 + width * len(colors)
        surface.segments([(x0, y0 + _BOX, end, y0 + _BOX)], self.theme.text)
        labels = self.heatmap.color_labels()
        for x, text in ((x0, labels[0]), (end, labels[-1])):
            surface.text(
                x,
                y0 + _BOX + 4 + SMALL.ascent,
                text,
                size=SMALL.size,
                color=self.theme.text,
                align=Align.CENTER,
            )


def legend_elements(chart: Chart, heatmaps: list[Heatmap | None], width: int) -> list[Element]:
    """Return what stands in the legend, axis by axis."""
    labelled = chart.legend is LegendType.LABELS_WITH_STATS
    stats = labelled and width >= MIN_WIDTH_FOR_STATS
    many = len(chart.lines) > MAX_LEGEND_LINES
    limit = MAX_LEGEND_LINES // len(chart.plots) if many else MAX_LEGEND_LINES
    elements: list[Element] = [Gap(5)]
    for i, (plot, heatmap) in enumerate(zip(chart.plots, heatmaps, strict=True)):
        elements.append(Gap(5))
        if len(chart.plots) > 1:
            heading = f"Axis {i}: {plot.ylabel}" if plot.ylabel else f"Axis {i}"
            color = plot.axis_color or chart.theme.text
            elements.append(Words(text=heading, color=color, bold=True))
        elements += _entries(plot, heatmap, chart.theme, stats=stats, limit=limit)
    return elements


def format_statistic(value: float, labels: TickLabels) -> str:
    """Return ``value`` in the ten columns of a legend.

    >>> format_statistic(1234.5, TickLabels.DECIMAL)
    '    1.234k'
    """
    if np.isnan(value):
        return "      NaN "
    digits = 3 if labels in (TickLabels.DECIMAL, TickLabels.OFF) else 2
    text = prefix_for(labels, value).format(value, digits, 9)
    return text if text[-1:].isalpha() else f"{text} "


def _entries(
    plot: Plot, heatmap: Heatmap | None, theme: Theme, *, stats: bool, limit: int
) -> Iterator[Element]:
    if heatmap is not None:
        yield Gap(2)
        yield HeatmapEntry(heatmap=heatmap, theme=theme, stats=stats)
    lines = plot.drawn_lines
    for line in lines[:limit]:
        yield Gap(2)
        yield LegendEntry(line=line, labels=plot.tick_labels, theme=theme, stats=stats)
    if len(lines) > limit:
        yield Gap(2)
        yield Words(text=f"... {len(lines) - limit} suppressed ...", color=theme.text)


def _write(surface: Surface, x: float, top: float, text: str, *, font: Font, color: Color) -> None:
    surface.text(x, top + font.ascent, text, size=font.size, color=color)


def _outline(surface: Surface, box: tuple[int, int, int, int], color: Color) -> None:
    left, top, right, bottom = box
    surface.segments(
        [
            (left, top, right, top),
            (right, top, right, bottom),
            (right, bottom, left, bottom),
            (left, bottom, left, top),
        ],
        color,
    )
