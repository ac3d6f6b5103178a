"""From evaluated expressions and the options of a request to a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from collectors.api.coloring import coloring_for
from collectors.api.graph_request import AxisOptions, GraphRequest, SortMode
from collectors.api.parameters import refuse
from collectors.budget import answered
from collectors.graph.chart import MAX_AXES, Chart, Line, LineStyle, Plot, common_tags
from collectors.graph.palettes import ColorPicker
from collectors.graph.summary import Summary, summarize
from collectors.graph.themes import LIGHT, theme_named
from collectors.graph.unit_prefix import TickLabels, prefix_for
from collectors.stacklang.evaluation.batch import EvaluatedExpression
from collectors.stacklang.expressions.legends import legend, uses_statistics
from collectors.stacklang.lines.line_set import counted_labels
from collectors.stacklang.text.substitution import substitute

MAX_LINE_WIDTH_PX = 1000.0


class ChartBuilder:
    """Collects warnings while one chart is put together."""

    def __init__(self, request: GraphRequest) -> None:
        self._request = request
        self._coloring = coloring_for(request)
        self._warnings: list[str] = []

    def build(self, expressions: Sequence[EvaluatedExpression]) -> Chart:
        """Return the chart of ``expressions``, in the order of the stack, bottom first."""
        # Nothing to draw is still a graph: an empty canvas on the first axis.
        by_axis: dict[int, list[EvaluatedExpression]] = {} if expressions else {0: []}
        for expression in expressions:
            by_axis.setdefault(_axis(expression), []).append(expression)
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
        return Chart(
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
            theme=theme_named(request.theme) if request.format.shows_colors else LIGHT,
            warnings=tuple(self._warnings),
            hints=request.hints,
        )

    def _lines(self, axis: int, expressions: Sequence[EvaluatedExpression]) -> list[Line]:
        options = self._request.axes[axis]
        picker = self._coloring.picker(options.palette)
        lines: list[Line] = []
        for expression in expressions:
            own = self._expression_lines(expression, options, picker)
            settings = expression.style.settings
            own = self._sorted(own, settings.get("sort"), settings.get("order") == "desc")
            lines += own[: _limit(settings.get("limit"))]
        return self._sorted(lines, options.sort, options.descending)

    def _expression_lines(
        self, expression: EvaluatedExpression, options: AxisOptions, picker: ColorPicker
    ) -> list[Line]:
        settings, offset_ms = expression.style.settings, expression.style.offset.millis
        brush = self._coloring.brush(settings, offset_ms=offset_ms, picker=picker)
        labels = _legends(expression, options.tick_labels)
        answered(sum(map(len, labels)))
        style = _style(settings.get("ls"), options)
        width = _width(settings.get("lw"))
        query, group_by = expression.style.expr.render(), expression.style.expr.final_grouping
        # A colour goes to a line before sorting and cutting, so that neither changes it.
        return [
            Line(
                label=labels[row],
                tags=expression.tags_of(row),
                values=expression.lines.values[row],
                color=brush(labels[row]),
                style=style,
                width=width,
                query=query,
                group_by=group_by,
            )
            for row in sorted(range(len(labels)), key=labels.__getitem__)
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


def _axis(expression: EvaluatedExpression) -> int:
    """Return the value axis that an expression belongs to."""
    text = expression.style.settings.get("axis", "0")
    axis = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
    if not 0 <= axis <= MAX_AXES:
        raise refuse(f"invalid axis '{text[:40]}', axes are 0 to {MAX_AXES}")
    return axis


def _legends(expression: EvaluatedExpression, labels: TickLabels) -> list[str]:
    """Return the legend of each line, its statistics in the prefixes of the axis."""
    if not uses_statistics(expression.style):
        return expression.legends
    lines = expression.lines
    return counted_labels(
        legend(
            expression.style,
            lines.labels[row],
            {
                **expression.tags_of(row),
                **_statistic_variables(summarize(lines.values[row]), labels),
            },
        )
        for row in range(len(lines))
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


def shown_lines(expressions: Sequence[EvaluatedExpression]) -> int:
    """Return how many lines a chart of ``expressions`` has: ``:limit`` cuts before anything counts.

    Raises:
        QueryError: A limit is no whole number.
    """
    limits = [_limit(e.style.settings.get("limit")) for e in expressions]
    return sum(
        len(e.lines) if limit is None else min(limit, len(e.lines))
        for e, limit in zip(expressions, limits, strict=True)
    )


def _limit(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise refuse(f"invalid limit '{given[:40]}', it must be a whole number")
    return int(given)
