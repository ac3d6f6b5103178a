"""The query string of ``/api/v1/graph`` as one checked object."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import TypeVar

from collectors.api.parameters import Parameters, refuse
from collectors.errors import QueryError
from collectors.graph.chart import (
    MAX_AXES,
    AutoBound,
    Bound,
    HeatmapSettings,
    Layout,
    LegendType,
)
from collectors.graph.palettes import palette_colors
from collectors.graph.scales import ScaleKind
from collectors.graph.themes import LIGHT, THEMES, unknown_theme
from collectors.graph.unit_prefix import TickLabels
from collectors.graph.vision import Vision
from collectors.stacklang.lines.database import Window
from collectors.stacklang.predicates.algebra import as_query
from collectors.stacklang.predicates.predicate import Predicate, Query
from collectors.stacklang.text.times import (
    choose_step_ms,
    parse_duration_ms,
    parse_times,
    parse_zone,
    round_step,
    whole_step,
)
from collectors.stacklang.words.vocabularies import interpreter

MAX_COLUMNS = 1440
MAX_STEP_MS = 3_650 * 86_400_000
MAX_PIXELS_ASKED = 100_000
MAX_TEXT = 2_000
MAX_ZONES = 16
DEFAULT_WIDTH_PX = 700
DEFAULT_HEIGHT_PX = 300
DEFAULT_START = "e-3h"
DEFAULT_END = "now"
DEFAULT_ZONE = "UTC"

Choice = TypeVar("Choice", bound=StrEnum)


class GraphFormat(StrEnum):
    """What a graph can be answered as."""

    PNG = "png"
    CSV = "csv"
    TXT = "txt"
    JSON = "json"
    STD_JSON = "std.json"
    STATS_JSON = "stats.json"
    V2_JSON = "v2.json"

    @property
    def shows_colors(self) -> bool:
        """Whether a reader of the answer sees which colour a line has."""
        return self in {GraphFormat.PNG, GraphFormat.V2_JSON}


class SortMode(StrEnum):
    """What lines are sorted by."""

    LEGEND = "legend"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    COUNT = "count"
    TOTAL = "total"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisOptions:
    """What the query string says of one value axis."""

    lower: Bound
    upper: Bound
    scale: ScaleKind
    stack: bool
    ylabel: str | None
    tick_labels: TickLabels
    palette: str | None
    sort: str | None
    descending: bool
    heatmap: HeatmapSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """A graph request. ``window`` holds the columns of the answer; sizes are pixels."""

    program: str
    common: Query | None
    window: Window
    zones: tuple[tzinfo, ...]
    format: GraphFormat
    unstable: bool
    title: str | None
    width: int
    height: int
    zoom: float
    layout: Layout
    legend: LegendType
    only_graph: bool
    axis_per_line: bool
    vision: Vision
    theme: str
    palette: str | None
    hints: tuple[str, ...]
    axes: tuple[AxisOptions, ...]

    @property
    def end_ms(self) -> int:
        """The end, one step after the last column, as Atlas counts it."""
        return self.window.end_ms + self.window.step_ms


def read_graph_request(parameters: Parameters, *, primary_ms: int, now_ms: int) -> GraphRequest:
    """Read and check every parameter.

    Args:
        parameters: The query string.
        primary_ms: The store's own step, milliseconds.
        now_ms: What ``now`` means, epoch milliseconds.

    Raises:
        QueryError: A parameter is missing or can't be used; the message names it.
    """
    program = parameters.required("q")
    zones = read_zones(parameters)
    width = parameters.integer("w", DEFAULT_WIDTH_PX, low=1, high=MAX_PIXELS_ASKED)
    return GraphRequest(
        program=program,
        common=read_common_query(parameters),
        window=read_window(parameters, zones[0], width, primary_ms=primary_ms, now_ms=now_ms),
        zones=zones,
        format=choice(parameters, "format", GraphFormat, GraphFormat.PNG),
        unstable=read_unstable(parameters),
        title=_text(parameters.text("title")),
        width=width,
        height=parameters.integer("h", DEFAULT_HEIGHT_PX, low=1, high=MAX_PIXELS_ASKED),
        zoom=parameters.number("zoom", 1.0, low=0.01, high=100.0),
        layout=choice(parameters, "layout", Layout, Layout.CANVAS),
        legend=_legend(parameters),
        only_graph=parameters.flag("only_graph"),
        axis_per_line=parameters.flag("axis_per_line"),
        vision=choice(parameters, "vision", Vision, Vision.NORMAL),
        theme=_theme(parameters.text("theme")),
        palette=_palette(parameters.text("palette")),
        hints=_hints(parameters),
        axes=_axes(parameters),
    )


def read_window(
    parameters: Parameters, zone: tzinfo, width: int, *, primary_ms: int, now_ms: int
) -> Window:
    """Read ``s``, ``e`` and ``step`` into the columns of the answer, never over 1440 or so.

    Start and end are rounded down to the step; the first column is the one after the start, since
    a column's timestamp is the end of its interval.
    """
    start_text = parameters.text("s") or DEFAULT_START
    end_text = parameters.text("e") or DEFAULT_END
    start_ms, end_ms = parse_times(start_text, end_text, now_ms, zone)
    rounded_ms = read_step(parameters, primary_ms)
    # A step that was asked for stays as it is while every point has its pixel.
    chosen_ms = choose_step_ms(rounded_ms, min(MAX_COLUMNS, width), start_ms, end_ms)
    step_ms = whole_step(primary_ms, chosen_ms)
    first_ms = start_ms // step_ms * step_ms
    last_ms = end_ms // step_ms * step_ms
    if first_ms == last_ms:
        first_ms -= step_ms
    return Window(start_ms=first_ms + step_ms, end_ms=last_ms, step_ms=step_ms)


def read_step(parameters: Parameters, primary_ms: int) -> int:
    """Read ``step``, rounded up to an allowed one; the store's own step if there is none."""
    text = parameters.text("step")
    asked_ms = parse_duration_ms(text) if text else primary_ms
    if asked_ms > MAX_STEP_MS:
        raise refuse(f"parameter 'step' must be at most 3650d, got '{str(text)[:80]}'")
    return round_step(primary_ms, asked_ms)


def read_zones(parameters: Parameters) -> tuple[tzinfo, ...]:
    """Read every ``tz``, UTC if there is none."""
    names = parameters.all("tz") or [DEFAULT_ZONE]
    if len(names) > MAX_ZONES:
        raise refuse(f"{len(names)} time zones are asked for, at most {MAX_ZONES} are drawn")
    return tuple(parse_zone(name) for name in names)


def read_common_query(parameters: Parameters) -> Query | None:
    """Read ``cq``: a query required of everything that the expressions fetch."""
    program = parameters.text("cq")
    if program is None:
        return None
    match interpreter("query").execute(program):
        case [Predicate() as query]:
            return as_query(query)
        case _:
            raise QueryError(f"invalid cq parameter: {program[:200]}")


def read_unstable(parameters: Parameters) -> bool:
    """Read ``features``: whether words that may still change are allowed."""
    features = (parameters.text("features") or "stable").lower()
    if features not in ("stable", "unstable"):
        raise refuse(f"parameter 'features' must be stable or unstable, got '{features[:40]}'")
    return features == "unstable"


def choice(parameters: Parameters, name: str, choices: type[Choice], default: Choice) -> Choice:
    """Read one of the values of an enum, refuse others with the list of what is known."""
    return _choose(parameters.text(name), name, choices, default)


def _choose(given: str | None, name: str, choices: type[Choice], default: Choice) -> Choice:
    if given is None:
        return default
    try:
        return choices(given)
    except ValueError:
        known = ", ".join(choices)
        raise refuse(f"parameter '{name}' must be one of {known}, got '{given[:80]}'") from None


def _legend(parameters: Parameters) -> LegendType:
    if parameters.flag("no_legend"):
        return LegendType.OFF
    if parameters.flag("no_legend_stats"):
        return LegendType.LABELS_ONLY
    return LegendType.LABELS_WITH_STATS


def _hints(parameters: Parameters) -> tuple[str, ...]:
    parts = (parameters.text("hints") or "").split(",")
    return tuple(sorted({p.strip()[:80] for p in parts if p.strip()}))


def _text(given: str | None) -> str | None:
    return given[:MAX_TEXT] if given else None


def _theme(given: str | None) -> str:
    name = given or LIGHT.name
    if name not in THEMES:
        raise unknown_theme(name)
    return name


def _palette(given: str | None) -> str | None:
    if given:
        palette_colors(given.removeprefix("hash:"))  # refuses what can't be read
    return given or None


def _axes(parameters: Parameters) -> tuple[AxisOptions, ...]:
    """Read what is said of all axes once, and again for those of which something is said."""
    shared = _axis(parameters, "")
    named = {name.rpartition(".")[2] for name in parameters.values if "." in name}
    return tuple(
        _axis(parameters, f".{axis}") if str(axis) in named else shared
        for axis in range(MAX_AXES + 1)
    )


def _axis(parameters: Parameters, suffix: str) -> AxisOptions:
    def get(name: str) -> str | None:
        own = parameters.text(name + suffix)
        return parameters.text(name) if own is None else own

    lower = _bound(get("l"), "l")
    upper = _bound(get("u"), "u")
    if isinstance(lower, float) and isinstance(upper, float) and lower >= upper:
        raise refuse(f"lower bound must be less than upper bound ({lower} >= {upper})")
    old_log = ScaleKind.LOGARITHMIC if get("o") == "1" else ScaleKind.LINEAR
    return AxisOptions(
        lower=lower,
        upper=upper,
        scale=_choose(get("scale"), "scale", ScaleKind, old_log),
        stack=get("stack") == "1",
        ylabel=_text(get("ylabel")),
        tick_labels=_choose(get("tick_labels"), "tick_labels", TickLabels, TickLabels.DECIMAL),
        palette=_palette(parameters.text(f"palette{suffix}")) if suffix else None,
        sort=get("sort"),
        descending=get("order") == "desc",
        heatmap=_heatmap(get),
    )


def _heatmap(get: Callable[[str], str | None]) -> HeatmapSettings:
    palette = get("heatmap_palette")
    return HeatmapSettings(
        color_scale=_choose(get("heatmap_scale"), "heatmap_scale", ScaleKind, ScaleKind.LINEAR),
        lower=_bound(get("heatmap_l"), "heatmap_l"),
        upper=_bound(get("heatmap_u"), "heatmap_u"),
        palette=palette_colors(palette) if palette else (),
        label=_text(get("heatmap_label")),
    )


def _bound(given: str | None, name: str) -> Bound:
    if given is None:
        return AutoBound.STYLE
    if given in (AutoBound.STYLE.value, AutoBound.DATA.value):
        return AutoBound(given)
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(
            f"parameter '{name}' must be auto-style, auto-data or a number, got '{given[:80]}'"
        )
    return value
