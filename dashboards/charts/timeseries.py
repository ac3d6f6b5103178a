"""Time series as one ECharts option: rows above each other, one crosshair and one zoom for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.charts import palette
from dashboards.charts.marks import Mark, Marks
from tocsin.client.graphs import Graph

Option = dict[str, Any]

ROW_HEIGHT = 204
MAX_LINES = 24
_HEAD = 62
_FOOT = 26
_LEGEND_TOP = 23
_SIGNIFICANT = 5
_MAX_TITLE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One chart of the stack.

    Attributes:
        title: What is drawn.
        unit: Unit as people read it, such as ``/s`` or ``ms``.
        names: One name a line.
        times_ms: Shape (steps,), ends of the intervals, epoch milliseconds.
        values: Shape (lines, steps), NaN where there is no data.
        limits: Horizontal lines worth comparing with: where, in ``unit``, and what they are.
        stacked: Whether lines stand upon each other.
        tags: One mapping a line, or none where nobody asks whose a line is.
        before: Like ``values``, the same lines some time before; None where nobody asks.
        before_words: How long before, such as ``a week before``.
        bands: Where values are expected.
    """

    title: str
    unit: str
    names: tuple[str, ...]
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    limits: tuple[tuple[float, str], ...] = ()
    stacked: bool = False
    tags: tuple[Mapping[str, str], ...] = ()
    before: NDArray[np.float64] | None = None
    before_words: str = ""
    bands: tuple[Band, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where values of one line of a row are expected, in the row's unit.

    Attributes:
        line: Position of the line.
        low: Shape (steps,), NaN where nothing is known.
        high: Like ``low``.
    """

    line: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def row_of(
    graph: Graph,
    title: str,
    unit: str,
    *,
    name: Callable[[Mapping[str, str], str], str] = lambda _tags, label: label,
    limits: Sequence[tuple[float, str]] = (),
    stacked: bool = False,
) -> Row:
    """Turn a graph into a row; a ratio becomes per cent, seconds milliseconds, bytes MiB.

    Args:
        graph: Lines over a time grid.
        title: What is drawn.
        unit: Unit of the values: ``ratio``, ``s``, ``1/s`` or any other word.
        name: Gives a line's name from its tags and its label.
        limits: Horizontal lines: where, in ``unit``, and what they are.
        stacked: Whether lines stand upon each other.
    """
    factor, shown_unit = scale_of(unit)
    lines = graph.lines[:MAX_LINES]
    values = np.array([line.values for line in lines]).reshape(len(lines), len(graph.times_ms))
    return Row(
        title=title if len(lines) == len(graph.lines) else f"{title} (first {MAX_LINES} lines)",
        unit=shown_unit,
        names=_unique([name(line.tags, line.label) for line in lines]),
        times_ms=graph.times_ms,
        values=values * factor,
        limits=tuple((value * factor, name) for value, name in limits),
        stacked=stacked,
        tags=tuple(dict(line.tags) for line in lines),
    )


def scale_of(unit: str) -> tuple[float, str]:
    """Return by what values of a unit are multiplied to be drawn, and the unit that is shown.

    >>> scale_of("s"), scale_of("{start}")
    ((1000.0, 'ms'), (1.0, 'start'))
    """
    return _SCALES.get(unit, (1.0, unit.strip("{}")))


def ids_of(row: int, line: int) -> str:
    """Return the id of a line's series in an option.

    >>> ids_of(1, 3), line_of("1:3")
    ('1:3', (1, 3))
    """
    return f"{row}:{line}"


def line_of(series_id: str) -> tuple[int, int] | None:
    """Return row and line of a series, None when the id names none.

    >>> line_of(""), line_of("1:0:before")
    (None, (1, 0))
    """
    row, _, rest = series_id.partition(":")
    line = rest.partition(":")[0]
    return (int(row), int(line)) if row.isdecimal() and line.isdecimal() else None


def height(rows: Sequence[Row]) -> int:
    """Return the height in pixels that :func:`option` is laid out for."""
    return len(rows) * ROW_HEIGHT


def option(
    rows: Sequence[Row],
    *,
    marks: Marks | None = None,
    span_ms: tuple[int, int] | None = None,
    row_height: int = ROW_HEIGHT,
    utc: bool = True,
) -> Option:
    """Return an ECharts option that draws ``rows`` above each other.

    Args:
        rows: From top to bottom.
        marks: Drawn over every row; the names of moments only over the first.
        span_ms: Fixed ends of the time axis; the data's own when None.
        row_height: Height of each row, pixels.
        utc: Whether the axis is in UTC, otherwise in the reader's own time.
    """
    marks = marks or Marks()
    span_ms = span_ms or _ends_ms(rows)
    labels = marks.labels(span_ms[1] - span_ms[0] if span_ms else 0)
    return {
        "animation": False,
        "useUTC": utc,
        "title": [_title(row, i * row_height) for i, row in enumerate(rows)],
        "legend": [_legend(row, i, i * row_height) for i, row in enumerate(rows)],
        "grid": [_grid(i * row_height, row_height) for i in range(len(rows))],
        "xAxis": [_time_axis(i, len(rows), span_ms) for i in range(len(rows))],
        "yAxis": [_value_axis(i, row) for i, row in enumerate(rows)],
        "series": [s for i, row in enumerate(rows) for s in _series(i, row, marks, labels)],
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "tooltip": {"trigger": "axis", "confine": True},
    }


_MIB = 1 / 2**20
_SCALES = {"s": (1000.0, "ms"), "ratio": (100.0, "%"), "1/s": (1.0, "/s"), "1": (1.0, "")}
_SCALES |= {"By": (_MIB, "MiB"), "By/s": (_MIB, "MiB/s")}


def _ends_ms(rows: Sequence[Row]) -> tuple[int, int] | None:
    """Return first and last time of all rows, so that one moment is at one place in all."""
    times = [row.times_ms for row in rows if len(row.times_ms)]
    if not times:
        return None
    return min(int(t[0]) for t in times), max(int(t[-1]) for t in times)


def _unique(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(result)


def titled(row: Row) -> str:
    """Return a row's title, short enough for its line."""
    return row.title if len(row.title) <= _MAX_TITLE else row.title[: _MAX_TITLE - 1] + "…"


def _title(row: Row, top: int) -> Option:
    title = titled(row)
    return {
        "text": f"{title}  [{row.unit}]" if row.unit else title,
        "top": top + 4,
        "left": 4,
        "textStyle": {"fontSize": 13, "fontWeight": 600},
    }


def _legend(row: Row, position: int, top: int) -> Option:
    return {
        "data": [_series_name(position, name) for name in row.names],
        "top": top + _LEGEND_TOP,
        "left": 46,
        "right": 12,
        "type": "scroll",
        "itemWidth": 14,
        "itemHeight": 3,
        "icon": "rect",
        "align": "left",
        "textStyle": {"fontSize": 11},
    }


def _series_name(position: int, name: str) -> str:
    # Series of equal names would share one legend entry and one colour; the zero-width mark keeps
    # rows apart without showing.
    return name + "\u200b" * position


def _grid(top: int, row_height: int) -> Option:
    return {
        "top": top + _HEAD,
        "height": row_height - _HEAD - _FOOT,
        "left": 52,
        "right": 18,
    }


def _time_axis(position: int, rows: int, span_ms: tuple[int, int] | None) -> Option:
    axis: Option = {
        "type": "time",
        "gridIndex": position,
        "axisLabel": {"show": position == rows - 1, "hideOverlap": True, "fontSize": 11},
        "splitLine": {"show": False},
        "axisPointer": {"label": {"show": False}},
    }
    if span_ms is not None:
        axis |= {"min": span_ms[0], "max": span_ms[1]}
    return axis


def _value_axis(position: int, row: Row) -> Option:
    axis: Option = {
        "type": "value",
        "gridIndex": position,
        "splitNumber": 3,
        "axisLabel": {"fontSize": 11},
    }
    lowest = np.nanmin(row.values) if np.isfinite(row.values).any() else 0.0
    # A rate or a latency is read against zero; only values that go below it may scale freely.
    if lowest < 0:
        return axis | {"scale": True}
    top, parts = calm_top(_highest(row))
    return axis | {"min": 0, "max": top, "interval": float(f"{top / parts:.6g}")}


def _highest(row: Row) -> float:
    """Return the highest point that a row draws, 0 when it draws none."""
    drawn = [np.nan_to_num(row.values).sum(axis=0) if row.stacked else row.values]
    drawn += [row.before] if row.before is not None else []
    drawn += [band.high for band in row.bands]
    known = [values[np.isfinite(values)] for values in drawn]
    return max((float(values.max()) for values in known if values.size), default=0.0)


def calm_top(highest: float) -> tuple[float, int]:
    """Return the end of an axis for what goes up to ``highest``, and into how many parts it goes.

    There are few ends, so that an axis stays as it is while its line moves.

    >>> [calm_top(v) for v in (0, 0.012, 0.9, 4.1, 97, 2_800)]
    [(1.0, 2), (0.015, 3), (1.0, 2), (6.0, 3), (100.0, 2), (3000.0, 3)]
    """
    if not 0 < highest < np.inf:
        return 1.0, 2
    size = 10.0 ** np.floor(np.log10(highest))
    step, parts = next(((s, n) for s, n in _TOPS.items() if s * size >= highest), (10.0, 2))
    return float(f"{step * size:.6g}"), parts


_TOPS = {1.0: 2, 1.5: 3, 2.0: 2, 3.0: 3, 4.0: 2, 6.0: 3, 8.0: 2, 10.0: 2}


def _series(position: int, row: Row, marks: Marks, labels: Sequence[str]) -> list[Option]:
    drawn = [_line(position, row, i) for i in range(len(row.names))]
    if drawn:
        drawn[0] |= _overlay(position, row, marks, labels)
    if row.before is not None:
        drawn += [_before(position, row, i) for i in range(len(row.names))]
    for band in row.bands:
        drawn += _band(position, row, band)
    return drawn


def _line(position: int, row: Row, i: int) -> Option:
    line: Option = {
        "id": ids_of(position, i),
        "type": "line",
        "name": _series_name(position, row.names[i]),
        "xAxisIndex": position,
        "yAxisIndex": position,
        "data": _points(row.times_ms, row.values[i]),
        "showSymbol": False,
        "connectNulls": False,
        "lineStyle": {"width": 1.6},
        "color": palette.line(i),
        "sampling": "lttb",
    }
    if row.stacked:
        line |= {"stack": f"row-{position}", "areaStyle": {"opacity": 0.25}}
    return line


def _before(position: int, row: Row, i: int) -> Option:
    """Return the same line some time before, pale and dashed beneath the one of now."""
    if row.before is None:
        return {}
    return {
        **_line(position, row, i),
        "id": f"{ids_of(position, i)}:before",
        "name": _series_name(position, f"{row.names[i]}, {row.before_words}"),
        "data": _points(row.times_ms, row.before[i]),
        "lineStyle": {"width": 1.2, "type": "dashed", "opacity": 0.65},
        "stack": None,
        "areaStyle": None,
        "z": 1,
    }


def _band(position: int, row: Row, band: Band) -> list[Option]:
    """Return a band: an unseen line at its foot, and upon it an area as high as the band."""
    common: Option = {
        "type": "line",
        "xAxisIndex": position,
        "yAxisIndex": position,
        "showSymbol": False,
        "symbol": "none",
        "silent": True,
        "stack": f"band-{position}-{band.line}",
        "stackStrategy": "all",
        "lineStyle": {"opacity": 0},
        "color": palette.line(band.line),
        "z": 0,
    }
    name = _series_name(position, f"{row.names[band.line]}, expected")
    edge = f"{ids_of(position, band.line)}:band"
    return [
        {**common, "id": f"{edge}-low", "name": name, "data": _points(row.times_ms, band.low)},
        {
            **common,
            "id": f"{edge}-high",
            "name": name,
            "data": _points(row.times_ms, band.high - band.low),
            "areaStyle": {"opacity": 0.16},
        },
    ]


def _points(times_ms: NDArray[np.int64], values: NDArray[np.float64]) -> list[list[float | None]]:
    known = np.isfinite(values)
    rounded = _rounded(np.where(known, values, 0.0)).tolist()
    return [
        [time_ms, value if is_known else None]
        for time_ms, value, is_known in zip(times_ms.tolist(), rounded, known.tolist(), strict=True)
    ]


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with as many significant digits as a chart can show, all at once.

    >>> _rounded(np.array([0.0, 0.123456789, -1234567.0, 3.0])).tolist()
    [0.0, 0.12346, -1234600.0, 3.0]
    """
    size = np.abs(values)
    places = _SIGNIFICANT - 1 - np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(np.int64)
    # Ten to a whole number up to 22 is exact, and so is what is divided by it or multiplied.
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    rounded: NDArray[np.float64] = np.rint(values / down * up) / up * down
    return rounded


def _overlay(position: int, row: Row, marks: Marks, labels: Sequence[str]) -> Option:
    """Return marks and window, which ECharts hangs on a series: the row's first."""
    lines = [
        _moment(mark, label if position == 0 else "", row)
        for mark, label in zip(marks.moments, labels, strict=True)
    ]
    lines += [
        {
            "yAxis": value,
            "name": name,
            "lineStyle": {"color": palette.QUIET, "type": "dashed", "width": 1},
            "label": {"formatter": "{b}", "position": "insideStartTop", "fontSize": 10},
        }
        for value, name in row.limits
    ]
    overlay: Option = {"markLine": {"symbol": "none", "silent": True, "data": lines}}
    if marks.window_ms is not None:
        start_ms, end_ms = marks.window_ms
        overlay["markArea"] = {
            "silent": True,
            "itemStyle": {"color": palette.WINDOW},
            "data": [[{"xAxis": start_ms}, {"xAxis": end_ms}]],
        }
    return overlay


def _moment(mark: Mark, label: str, row: Row) -> Option:
    return {
        "xAxis": mark.time_ms,
        "name": label or mark.label,
        "lineStyle": {"color": mark.color, "type": "solid", "width": 1.2},
        "label": {
            "show": bool(label),
            "formatter": "{b}",
            "color": mark.color,
            "fontSize": 10,
            "position": "end",
            "align": "right" if _is_late(mark.time_ms, row) else "left",
        },
    }


def _is_late(time_ms: int, row: Row) -> bool:
    """Say whether a label that begins here would leave the chart on the right."""
    if not len(row.times_ms):
        return False
    first, last = int(row.times_ms[0]), int(row.times_ms[-1])
    return time_ms - first > 0.75 * (last - first)
