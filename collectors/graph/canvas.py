"""Lines, areas, stacks, spans and heat maps within the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.graph.bounds import stacked
from collectors.graph.chart import Line, LineStyle, Plot
from collectors.graph.heatmap import Heatmap
from collectors.graph.scales import ValueScale
from collectors.graph.surface import CLOSE, LINE_TO, MOVE_TO, Surface
from collectors.model import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """The rectangle in which values are drawn, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    def column_edges(self, steps: int) -> FloatArray:
        """Return the x of the ``steps + 1`` edges between columns."""
        return self.left + self.width * np.arange(steps + 1) / max(1, steps)

    def y(self, scale: ValueScale, values: FloatArray) -> FloatArray:
        """Return the y of ``values``, NaN where there is none."""
        return self.bottom - self.height * scale.fraction(values)


def draw_plot(
    surface: Surface, canvas: Canvas, plot: Plot, scale: ValueScale, heatmap: Heatmap | None
) -> None:
    """Draw everything of one axis, in the order of its lines; heat maps lie below."""
    if heatmap is not None:
        _draw_heatmap(surface, canvas, scale, heatmap)
    bands = {id(line): (base, top) for line, base, top in stacked(plot.lines)}
    for line in plot.drawn_lines:
        if line.values.size == 0:
            continue
        if line.style is LineStyle.STACK:
            base, top = bands[id(line)]
            present = ~np.isnan(line.values)
            shown = np.where(present, top, np.nan)
            _fill(surface, canvas, scale, line, base=base, top=shown)
        elif line.style is LineStyle.AREA:
            zero = np.zeros_like(line.values)
            _fill(surface, canvas, scale, line, base=zero, top=line.values)
        elif line.style is LineStyle.VSPAN:
            _spans(surface, canvas, line)
        else:
            _steps(surface, canvas, scale, line)


def runs(present: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> IntArray:
    """Return [start, end) of each run of true columns, shape (runs, 2).

    >>> runs(np.array([True, True, False, True])).tolist()
    [[0, 2], [3, 4]]
    """
    padded = np.concatenate([[False], present, [False]]).astype(np.int8)
    return np.flatnonzero(np.diff(padded)).reshape(-1, 2).astype(np.int64)


def _steps(surface: Surface, canvas: Canvas, scale: ValueScale, line: Line) -> None:
    # A value holds for its whole interval: a flat piece a column, joined by upright ones.
    edges = canvas.column_edges(line.values.size)
    xs = np.repeat(edges, 2)[1:-1]
    ys = np.repeat(canvas.y(scale, line.values), 2)
    surface.line(xs, ys, line.color, line.width)


def _fill(
    surface: Surface,
    canvas: Canvas,
    scale: ValueScale,
    line: Line,
    *,
    base: FloatArray,
    top: FloatArray,
) -> None:
    edges = canvas.column_edges(top.size)
    upper = canvas.y(scale, top)
    lower = canvas.y(scale, base)
    outlines, codes = [], []
    for start, end in runs(~np.isnan(top)):
        xs = np.repeat(edges[start : end + 1], 2)[1:-1]
        there = np.column_stack([xs, np.repeat(upper[start:end], 2)])
        back = np.column_stack([xs, np.repeat(lower[start:end], 2)])[::-1]
        outline = np.concatenate([there, back, there[:1]])
        code = np.full(len(outline), LINE_TO, dtype=np.uint8)
        code[0], code[-1] = MOVE_TO, CLOSE
        outlines.append(outline)
        codes.append(code)
    if outlines:
        surface.shape(np.concatenate(outlines), np.concatenate(codes), line.color)


def _spans(surface: Surface, canvas: Canvas, line: Line) -> None:
    edges = canvas.column_edges(line.values.size)
    on = ~np.isnan(line.values) & (np.abs(line.values) >= 1e-12)
    spans = runs(on)
    left, right = edges[spans[:, 0]], edges[spans[:, 1]]
    top, bottom = np.full_like(left, canvas.top), np.full_like(left, canvas.bottom)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    stacked_corners = np.stack([np.column_stack(corner) for corner in corners], axis=1)
    surface.polygons(stacked_corners, line.color)


def _draw_heatmap(surface: Surface, canvas: Canvas, scale: ValueScale, heatmap: Heatmap) -> None:
    # One lookup a pixel: the cell under the centre of each, at the zoomed resolution.
    zoom = surface.zoom
    steps, _ = heatmap.counts.shape
    columns = int(canvas.width * zoom)
    rows = int(canvas.height * zoom)
    if not steps or not columns or not rows:
        return
    step = np.minimum((np.arange(columns) + 0.5) * steps / columns, steps - 1).astype(np.int64)
    edge_rows = (canvas.y(scale, heatmap.edges[1:-1]) - canvas.top) * zoom
    # Edges run upwards, rows downwards: a row's cell is the number of edges below its centre.
    centers = np.arange(rows) + 0.5
    cell = edge_rows.size - np.searchsorted(edge_rows[::-1], centers, side="right")
    rgba = heatmap.rgba()[step[np.newaxis, :], cell[:, np.newaxis]]
    surface.image(np.ascontiguousarray(rgba), canvas.left, canvas.top)
