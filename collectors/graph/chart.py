"""What is to be drawn, complete: times, axes, lines with their colours and statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum

from collectors.graph.color import Color
from collectors.graph.scales import ScaleKind
from collectors.graph.summary import Summary, summarize
from collectors.graph.themes import LIGHT, Theme
from collectors.graph.unit_prefix import TickLabels
from collectors.model import FloatArray, Tags

MAX_AXES = 5
MAX_LEGEND_LINES = 50
MIN_CANVAS_PX = 64
MAX_WIDTH_PX = 2000
MAX_HEIGHT_PX = 1000
MAX_ZOOM = 2.0


class Layout(StrEnum):
    """What width and height mean: the canvas, the image, or one of each."""

    CANVAS = "canvas"
    IMAGE = "image"
    IMAGE_WIDTH = "iw"
    IMAGE_HEIGHT = "ih"

    @property
    def fixed_width(self) -> bool:
        """Whether the width is that of the image."""
        return self in (Layout.IMAGE, Layout.IMAGE_WIDTH)

    @property
    def fixed_height(self) -> bool:
        """Whether the height is that of the image."""
        return self in (Layout.IMAGE, Layout.IMAGE_HEIGHT)


class LegendType(StrEnum):
    """How much of a legend is shown."""

    OFF = "OFF"
    LABELS_ONLY = "LABELS_ONLY"
    LABELS_WITH_STATS = "LABELS_WITH_STATS"


class LineStyle(StrEnum):
    """How a line is drawn."""

    LINE = "line"
    AREA = "area"
    STACK = "stack"
    VSPAN = "vspan"
    HEATMAP = "heatmap"


class AutoBound(StrEnum):
    """Bounds that follow the lines: with filled areas down to zero, or the data alone."""

    STYLE = "auto-style"
    DATA = "auto-data"


Bound = AutoBound | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. ``values`` has shape (steps,), NaN where there is no data; ``width`` is pixels."""

    label: str
    tags: Tags
    values: FloatArray
    color: Color
    style: LineStyle = LineStyle.LINE
    width: float = 1.0
    query: str = ""
    group_by: tuple[str, ...] = ()

    @property
    def summary(self) -> Summary:
        """The statistics of its values, worked out when asked for."""
        return summarize(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatmapSettings:
    """How counts become colours; ``palette`` is from strong to faint, empty for a gradient."""

    color_scale: ScaleKind = ScaleKind.LINEAR
    lower: Bound = AutoBound.STYLE
    upper: Bound = AutoBound.STYLE
    palette: tuple[Color, ...] = ()
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One value axis with its lines."""

    lines: tuple[Line, ...]
    ylabel: str | None = None
    axis_color: Color | None = None
    scale: ScaleKind = ScaleKind.LINEAR
    lower: Bound = AutoBound.STYLE
    upper: Bound = AutoBound.STYLE
    tick_labels: TickLabels = TickLabels.DECIMAL
    heatmap: HeatmapSettings = field(default_factory=HeatmapSettings)

    @property
    def drawn_lines(self) -> tuple[Line, ...]:
        """The lines that are drawn each for itself."""
        return tuple(line for line in self.lines if line.style is not LineStyle.HEATMAP)

    @property
    def heatmap_lines(self) -> tuple[Line, ...]:
        """The lines that are counted into cells."""
        return tuple(line for line in self.lines if line.style is LineStyle.HEATMAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A whole graph.

    Column ``i`` of every line is the interval that ends at ``start_ms + i * step_ms``; there are
    ``(end_ms - start_ms) / step_ms`` columns. ``width`` and ``height`` are pixels before zoom.
    ``partial``: some of what was asked for is missing; ``warnings`` say what.
    """

    plots: tuple[Plot, ...]
    start_ms: int
    end_ms: int
    step_ms: int
    zones: tuple[tzinfo, ...] = (UTC,)
    width: int = 700
    height: int = 300
    layout: Layout = Layout.CANVAS
    zoom: float = 1.0
    title: str | None = None
    legend: LegendType = LegendType.LABELS_WITH_STATS
    only_graph: bool = False
    theme: Theme = LIGHT
    warnings: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    partial: bool = False

    @property
    def lines(self) -> Sequence[Line]:
        """Every line of every axis, in order."""
        return [line for plot in self.plots for line in plot.lines]

    @property
    def steps(self) -> int:
        """Number of columns."""
        return (self.end_ms - self.start_ms) // self.step_ms


def common_tags(lines: Sequence[Line]) -> Mapping[str, str]:
    """Return the tags that all ``lines`` share, for titles and axis labels."""
    if not lines:
        return {}
    shared = set(lines[0].tags.items())
    for line in lines[1:]:
        shared &= set(line.tags.items())
    return dict(shared)
