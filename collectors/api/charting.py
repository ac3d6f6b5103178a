"""From evaluated expressions and the options of a request to a chart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.api.graph_request import AxisOptions, GraphRequest, SortMode
from collectors.api.parameters import refuse
from collectors.graph.chart import (
    MAX_AXES,
    Chart,
    Line,
    LineStyle,
    Plot,
    common_tags,
)
from collectors.graph.color import Color, parse_color
from collectors.graph.palettes import ColorPicker, color_picker
from collectors.graph.summary import Summary, summarize
from collectors.graph.unit_prefix import TickLabels, prefix_for
from collectors.graph.vision import seen_as
from collectors.model import FloatArray, Tags
from collectors.stacklang.text.durations import of_millis, short_text
from collectors.stacklang.text.substitution import substitute

OFFSET_TAG = "atlas.offset"
MAX_LINE_WIDTH_PX = 1000.0

Legend = Callable[[str, Tags], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StyledLines:
    """The lines of one expression and how it wants them shown.

    ``values`` has shape (lines, steps). ``settings`` are the style words' values by name
    (``axis``, ``ls``, ``color`` and so on); ``legend`` makes a label from the line's own label and
    the tags that variables may refer to.
    """

    tags: Sequence[Tags]
    labels: Sequence[str]
    values: FloatArray
    legend: Legend
    settings: Mapping[str, str]
    offset_ms: int = 0
    query: str = ""
    group_by: tuple[str, ...] = ()

    @property
    def axis(self) -> int:
        """The value axis it belongs to."""
        text = self.settings.get("axis", "0")
        axis = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
        if not 0 <= axis <= MAX_AXES:
            raise refuse(f"invalid axis '{text[:40]}', axes are 0 to {MAX_AXES}")
        return axis


class ChartBuilder:
    """Gives out colours and collects warnings while one chart is put together."""

    def __init__(self, request: GraphRequest) -> None:
        self._request = request
        self._palette = color_picker(request.palette)
        self._offset_palette = color_picker(request.theme.offset_palette)
        self._warnings: list[str] = []

    def build(self, expressions: Sequence[StyledLines]) -> Chart:
        """Return the chart of ``expressions``, in the order of the stack, bottom first."""
        # Nothing to draw is still a graph: an empty canvas on the first axis.
        by_axis: dict[int, list[StyledLines]] = {} if expressions else {0: []}
        for expression in expressions:
            by_axis.setdefault(expression.axis, []).append(expression)
        several = len(by_axis) > 1 and self._axes_take_colors
        plots = [
            _plot(self._request.axes[axis], self._lines(axis, group), several=several)
            for axis, group in sorted(by_axis.items())
        ]
        if self._request.axis_per_line:
            plots = self._axis_per_line(plots)
        request = self._request
        lines = [line for plot in plots for line in plot.lines]
        title = None if request.title is None else substitute(request.title, common_tags(lines))
        chart = Chart(
            plots=tuple(plots),
            start_ms=request.window.start_ms,
            end_ms=request.end_ms,
            step_ms=request.window.step_ms,
            zones=request.zones,
            width=request.width,
            height=request.height,
            layout=request.layout,
            zoom=request.zoom,
            title=title,
            legend=request.legend,
            only_graph=request.only_graph,
            theme=request.theme,
            warnings=tuple(self._warnings),
            hints=request.hints,
        )
        return chart.recolored(lambda color: seen_as(color, request.vision))

    def _lines(self, axis: int, expressions: Sequence[StyledLines]) -> list[Line]:
        options = self._request.axes[axis]
        palette = color_picker(options.palette) if options.palette else self._palette
        lines: list[Line] = []
        for expression in expressions:
            own = self._expression_lines(expression, options, palette)
            settings = expression.settings
            own = self._sorted(own, settings.get("sort"), settings.get("order") == "desc")
            lines += own[: _limit(settings.get("limit"))]
        return self._sorted(lines, options.sort, options.descending)

    def _expression_lines(
        self, expression: StyledLines, options: AxisOptions, palette: ColorPicker
    ) -> list[Line]:
        settings = expression.settings
        pick = palette
        if "palette" in settings:
            pick = color_picker(settings["palette"])
        elif expression.offset_ms > 0:
            pick = self._offset_palette
        drafts = [
            _draft(expression, row, options.tick_labels) for row in range(len(expression.tags))
        ]
        style = _style(settings.get("ls"), options)
        width = _width(settings.get("lw"))
        fixed = settings.get("color")
        color = parse_color(fixed, dark=self._request.theme.dark) if fixed else None
        alpha = _alpha(settings.get("alpha"))
        drafts.sort(key=lambda line: line.label)
        # A colour goes to a line before sorting and cutting, so that neither changes it.
        return [
            replace(line, color=_faded(color or pick(line.label), alpha), style=style, width=width)
            for line in drafts
        ]

    def _sorted(self, lines: list[Line], mode: str | None, descending: bool) -> list[Line]:
        if mode is None and not descending:
            return lines
        try:
            by = SortMode(mode or SortMode.LEGEND)
        except ValueError:
            self._warnings.append(f"Invalid sort mode '{mode}'. Using default of 'legend'.")
            by = SortMode.LEGEND
        if by is SortMode.LEGEND:
            return sorted(lines, key=lambda line: line.label, reverse=descending)

        def place(line: Line) -> tuple[bool, float]:
            # Lines without data come last, whichever way the others are sorted.
            value = _statistic(line.summary, by)
            return (math.isnan(value), -value if descending else value)

        return sorted(lines, key=place)

    def _axis_per_line(self, plots: list[Plot]) -> list[Plot]:
        if len(plots) != 1:
            self._warnings.append("axisPerLine cannot be used with explicit multi axis")
            return plots
        lines = plots[0].lines
        if len(lines) > MAX_AXES:
            self._warnings.append(
                f"Too many Y-axes, {len(lines)} > {MAX_AXES}, axis per line disabled."
            )
            return plots
        if not lines:
            return plots
        several = self._axes_take_colors
        return [
            _plot(self._request.axes[i], [line], several=several) for i, line in enumerate(lines)
        ]

    @property
    def _axes_take_colors(self) -> bool:
        # With several axes each takes the colour of its first line, unless it is asked not to.
        return "ambiguous-multi-y" not in self._request.hints


def _plot(options: AxisOptions, lines: Sequence[Line], *, several: bool) -> Plot:
    label = None if options.ylabel is None else substitute(options.ylabel, common_tags(lines))
    return Plot(
        lines=tuple(lines),
        ylabel=label,
        # An axis stays readable when its lines are transparent.
        axis_color=lines[0].color.with_alpha(255) if several and lines else None,
        scale=options.scale,
        lower=options.lower,
        upper=options.upper,
        tick_labels=options.tick_labels,
        heatmap=options.heatmap,
    )


def _draft(expression: StyledLines, row: int, labels: TickLabels) -> Line:
    values = expression.values[row]
    summary = summarize(values)
    offset = short_text(of_millis(expression.offset_ms))
    tags = {**expression.tags[row], OFFSET_TAG: offset}
    variables = tags | _statistic_variables(summary, labels)
    return Line(
        label=expression.legend(expression.labels[row], variables),
        tags=tags,
        values=values,
        color=Color(0, 0, 0),
        summary=summary,
        query=expression.query,
        group_by=expression.group_by,
    )


def _statistic_variables(summary: Summary, labels: TickLabels) -> dict[str, str]:
    mode = TickLabels.BINARY if labels is TickLabels.BINARY else TickLabels.DECIMAL
    named = {
        "avg": summary.avg,
        "max": summary.max,
        "min": summary.min,
        "last": summary.last,
        "total": summary.total,
    }
    return {f"atlas.{k}": prefix_for(mode, v).format(v) for k, v in named.items()}


def _statistic(summary: Summary, by: SortMode) -> float:
    return {
        SortMode.MIN: summary.min,
        SortMode.MAX: summary.max,
        SortMode.AVG: summary.avg,
        SortMode.COUNT: float(summary.count),
        SortMode.TOTAL: summary.total,
        SortMode.LAST: summary.last,
    }[by]


def _style(given: str | None, options: AxisOptions) -> LineStyle:
    if given is None:
        return LineStyle.STACK if options.stack else LineStyle.LINE
    try:
        return LineStyle(given.lower())
    except ValueError:
        known = ", ".join(LineStyle)
        raise refuse(f"invalid line style '{given[:40]}', known are {known}") from None


def _width(given: str | None) -> float:
    if given is None:
        return 1.0
    try:
        width = float(given)
    except ValueError:
        width = -1.0
    if not 0.0 <= width <= MAX_LINE_WIDTH_PX:
        raise refuse(f"invalid line width '{given[:40]}', it must be 0 to {MAX_LINE_WIDTH_PX:.0f}")
    return width


def _alpha(given: str | None) -> int | None:
    if given is None:
        return None
    try:
        alpha = int(given[:20], 16)
    except ValueError:
        alpha = -1
    if not 0 <= alpha <= 255:
        raise refuse(f"invalid alpha '{given[:40]}', it must be two hex digits")
    return alpha


def _faded(color: Color, alpha: int | None) -> Color:
    return color if alpha is None else color.with_alpha(alpha)


def _limit(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise refuse(f"invalid limit '{given[:40]}', it must be a whole number")
    return int(given)
