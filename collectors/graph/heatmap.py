"""Lines counted into cells: how many were where, when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.graph.chart import AutoBound, HeatmapSettings, Line, Plot
from collectors.graph.color import Color
from collectors.graph.palettes import gradient
from collectors.graph.percentile_range import percentile_range
from collectors.graph.scales import ValueScale
from collectors.graph.ticks import ValueTick, tick_labels, value_ticks
from collectors.graph.unit_prefix import TickLabels
from collectors.model import FloatArray

MIN_TICK_PX = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """Counts of a plot's heat-map lines.

    ``counts`` has shape (steps, cells); cell ``i`` lies between ``edges[i]`` and ``edges[i + 1]``.
    ``colors`` go from faint to strong; ``color_edges`` are the counts between them, one more.
    """

    settings: HeatmapSettings
    counts: FloatArray
    edges: FloatArray
    edge_labels: Sequence[str]
    colors: Sequence[Color]
    color_edges: FloatArray

    def rgba(self) -> NDArray[np.uint8]:
        """Return the colour of every cell, shape (steps, cells, 4); empty cells are clear."""
        index = np.searchsorted(self.color_edges[1:-1], self.counts, side="right")
        table = np.array([[c.red, c.green, c.blue, c.alpha] for c in self.colors], dtype=np.uint8)
        cells = table[np.clip(index, 0, len(table) - 1)]
        cells[self.counts <= 0.0] = 0
        return cells

    def color_labels(self) -> list[str]:
        """Return the text for each of ``color_edges``."""
        return tick_labels([float(v) for v in self.color_edges], TickLabels.DECIMAL)


def build_heatmap(plot: Plot, scale: ValueScale, canvas_px: int) -> Heatmap | None:
    """Count the heat-map lines of ``plot``, None if it has none.

    Args:
        plot: The axis and its lines.
        scale: The axis as it is drawn.
        canvas_px: Height of the canvas; cells end at the marks of the axis.
    """
    lines = plot.heatmap_lines
    if not lines:
        return None
    wanted = max(1, canvas_px // MIN_TICK_PX)
    ticks = [
        tick
        for tick in value_ticks(scale, wanted, plot.tick_labels)
        if scale.low < tick.value < scale.high
    ]
    edges = np.array([scale.low, *(t.value for t in ticks), scale.high])
    counts = np.zeros((lines[0].values.size, edges.size - 1))
    for line in lines:
        _count(line, edges, counts)
    colors = plot.heatmap.palette[::-1] or gradient(lines[0].color)
    return Heatmap(
        settings=plot.heatmap,
        counts=counts,
        edges=edges,
        edge_labels=_edge_labels(ticks),
        colors=colors,
        color_edges=_color_edges(plot.heatmap, counts, len(colors)),
    )


def _edge_labels(ticks: Sequence[ValueTick]) -> list[str]:
    return ["", *(tick.label for tick in ticks), ""]


def _count(line: Line, edges: FloatArray, counts: FloatArray) -> None:
    bucket = percentile_range(line)
    if bucket is None:
        inside = (line.values >= edges[0]) & (line.values <= edges[-1])
        cell = np.searchsorted(edges[1:-1], line.values[inside], side="right")
        np.add.at(counts, (np.flatnonzero(inside), cell), 1.0)
        return
    # A percentile bucket is wider or narrower than a cell: its amount is spread by overlap.
    low, high = bucket
    overlap = np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1])
    weight = np.maximum(overlap, 0.0) / (high - low)
    amount = np.where(np.isfinite(line.values) & (line.values > 0), line.values, 0.0)
    counts += amount[:, np.newaxis] * weight


def _color_edges(settings: HeatmapSettings, counts: FloatArray, colors: int) -> FloatArray:
    present = counts[counts > 0.0]
    low = float(present.min()) if present.size else 0.0
    high = float(present.max()) if present.size else 1.0
    low = low if isinstance(settings.lower, AutoBound) else settings.lower
    high = high if isinstance(settings.upper, AutoBound) else settings.upper
    scale = ValueScale(settings.color_scale, low, high if high > low else low + 1.0)
    return np.array([scale.at(i / colors) for i in range(colors + 1)])
