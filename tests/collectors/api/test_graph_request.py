"""What the parameters of a graph request mean, and which are refused."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from collectors.api.graph_request import (
    MAX_COLUMNS,
    GraphFormat,
    GraphRequest,
    read_graph_request,
)
from collectors.api.parameters import Parameters
from collectors.errors import QueryError
from collectors.graph.chart import AutoBound, Layout, LegendType
from collectors.graph.scales import ScaleKind
from collectors.graph.unit_prefix import TickLabels
from collectors.graph.vision import Vision

MINUTE = 60_000
HOUR = 60 * MINUTE
NINE = 1_325_408_400_000  # 2012-01-01T09:00Z


def read(query: str, primary_ms: int = MINUTE) -> GraphRequest:
    parameters = Parameters(QueryParams(query))
    return read_graph_request(parameters, primary_ms=primary_ms, now_ms=NINE + 1234)


def test_defaults_are_three_hours_up_to_now_on_a_canvas_of_700_by_300() -> None:
    """A bare request would show another range or size than in Atlas."""
    request = read("q=1")
    assert request.window.start_ms == NINE - 3 * HOUR + MINUTE
    assert request.window.end_ms == NINE
    assert request.window.step_ms == MINUTE
    assert (request.width, request.height, request.zoom) == (700, 300, 1.0)
    assert (request.format, request.layout) == (GraphFormat.PNG, Layout.CANVAS)
    assert request.legend is LegendType.LABELS_WITH_STATS
    assert [str(zone) for zone in request.zones] == ["UTC"]
    assert (request.palette, request.theme, request.vision) == (None, "light", Vision.NORMAL)


@pytest.mark.parametrize(
    ("query", "start_ms", "end_ms", "step_ms"),
    [
        ("s=e-5m&e=2012-01-01T09:00", NINE - 4 * MINUTE, NINE, MINUTE),
        ("s=e-5m&e=2012-01-01T09:00&step=5m", NINE, NINE, 5 * MINUTE),
        ("s=e&e=2012-01-01T09:00", NINE, NINE, MINUTE),
        ("s=e-1d&e=2012-01-01T09:00", NINE - 24 * HOUR + 3 * MINUTE, NINE, 3 * MINUTE),
        ("s=e-1d&e=2012-01-01T09:00&step=4m", NINE - 24 * HOUR + 4 * MINUTE, NINE, 4 * MINUTE),
        ("s=e-1d&e=2012-01-01T09:00&w=2000", NINE - 24 * HOUR + MINUTE, NINE, MINUTE),
        ("s=2012-01-01T01:00&e=2012-01-01T02:00&tz=US/Pacific", NINE + MINUTE, NINE + HOUR, MINUTE),
        ("s=e-1h&e=2012-01-01T09:00&step=90s", NINE - HOUR + 2 * MINUTE, NINE, 2 * MINUTE),
    ],
)
def test_the_window_starts_one_step_after_the_rounded_start(
    query: str, start_ms: int, end_ms: int, step_ms: int
) -> None:
    """Values would be shown a step beside where they belong."""
    window = read(f"q=1&{query}").window
    assert (window.start_ms, window.end_ms, window.step_ms) == (start_ms, end_ms, step_ms)


@given(
    st.integers(1, 40 * 365 * 24 * 60),
    st.integers(1, 3000),
    st.sampled_from([1_000, 5_000, 60_000]),
)
def test_no_range_has_more_columns_than_the_limit(
    minutes: int, width: int, primary_ms: int
) -> None:
    """A range of years would be computed at the store's own step."""
    window = read(f"q=1&s=e-{minutes}m&e=2015-01-01&w={width}", primary_ms).window
    assert 1 <= window.steps <= MAX_COLUMNS + 1
    assert window.steps <= width + 2
    assert window.start_ms % window.step_ms == 0
    assert window.step_ms % primary_ms == 0


def test_an_axis_parameter_with_a_number_wins_over_the_general_one() -> None:
    """One axis could not be set apart from the others."""
    request = read(
        "q=1&scale=log&scale.1=sqrt&l=1&l.1=auto-data&u.1=9e3&ylabel=all&ylabel.1=one&stack.1=1"
        "&tick_labels=binary&sort=max&order.1=desc&palette.1=reds&o=1"
    )
    general, first = request.axes[0], request.axes[1]
    assert (general.scale, first.scale) == (ScaleKind.LOGARITHMIC, ScaleKind.SQRT)
    assert (general.lower, first.lower) == (1.0, AutoBound.DATA)
    assert (general.upper, first.upper) == (AutoBound.STYLE, 9000.0)
    assert (general.ylabel, first.ylabel) == ("all", "one")
    assert (general.stack, first.stack) == (False, True)
    assert (general.tick_labels, first.tick_labels) == (TickLabels.BINARY, TickLabels.BINARY)
    assert (general.sort, first.sort) == ("max", "max")
    assert (general.descending, first.descending) == (False, True)
    assert (general.palette, first.palette) == (None, "reds")


def test_the_old_flag_for_a_log_scale_still_counts() -> None:
    """Old dashboards would lose their logarithmic scale."""
    assert read("q=1&o=1").axes[0].scale is ScaleKind.LOGARITHMIC
    assert read("q=1&o=1&scale=linear").axes[0].scale is ScaleKind.LINEAR


@pytest.mark.parametrize(
    ("query", "legend"),
    [
        ("no_legend=1", LegendType.OFF),
        ("no_legend_stats=1", LegendType.LABELS_ONLY),
        ("no_legend=1&no_legend_stats=1", LegendType.OFF),
        ("no_legend=0", LegendType.LABELS_WITH_STATS),
    ],
)
def test_how_much_legend_is_shown(query: str, legend: LegendType) -> None:
    """A small graph would be covered by its legend, or a large one lack it."""
    assert read(f"q=1&{query}").legend is legend


def test_the_first_of_repeated_values_counts_except_for_zones() -> None:
    """A second time zone could not be shown, or a repeated parameter surprise."""
    request = read("q=1&q=2&tz=UTC&tz=US/Pacific")
    assert request.program == "1"
    assert [str(zone) for zone in request.zones] == ["UTC", "US/Pacific"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("", "missing required parameter 'q'"),
        ("q=1&w=0", "'w'"),
        ("q=1&w=-5", "'w'"),
        ("q=1&w=abc", "'w'"),
        ("q=1&w=١٢", "'w'"),
        ("q=1&h=0", "'h'"),
        ("q=1&h=1e3", "'h'"),
        ("q=1&zoom=0", "'zoom'"),
        ("q=1&zoom=nan", "'zoom'"),
        ("q=1&format=gif", "'format'"),
        ("q=1&layout=wide", "'layout'"),
        ("q=1&vision=xray", "'vision'"),
        ("q=1&theme=neon", "theme"),
        ("q=1&palette=nope", "palette"),
        ("q=1&palette.3=nope", "palette"),
        ("q=1&palette=hash:nope", "palette"),
        ("q=1&scale=cubic", "'scale'"),
        ("q=1&tick_labels=roman", "'tick_labels'"),
        ("q=1&l=low", "'l'"),
        ("q=1&u=inf", "'u'"),
        ("q=1&l=5&u=5", "lower bound must be less"),
        ("q=1&heatmap_palette=nope", "palette"),
        ("q=1&heatmap_scale=x", "'heatmap_scale'"),
        ("q=1&features=wild", "'features'"),
        ("q=1&tz=Mars/Base", "Mars/Base"),
        ("q=1&tz=../../etc/passwd", "etc/passwd"),
        ("q=1&s=yesterday", "yesterday"),
        ("q=1&s=e-1h&e=s%2B1h", "relative"),
        ("q=1&s=2012-01-02&e=2012-01-01", "before"),
        ("q=1&step=fast", "fast"),
        ("q=1&" + "&".join(["tz=UTC"] * 17), "17 time zones"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused_by_name(query: str, word: str) -> None:
    """The caller would not learn which parameter to fix."""
    with pytest.raises(QueryError) as caught:
        read(query)
    assert word in caught.value.message


NAMES = [
    *("q", "s", "e", "tz", "step", "format", "w", "h", "zoom", "layout", "title", "theme", "o"),
    *("palette", "vision", "scale", "u", "l", "u.2", "scale.1", "tick_labels", "sort", "order"),
    *("heatmap_u", "heatmap_palette", "features", "hints", "only_graph", "no_legend"),
]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=20)), max_size=8))
def test_any_query_string_is_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    """A stranger's query string would be an internal error."""
    query = urlencode([(k, v.encode("utf-8", "replace")) for k, v in pairs])
    try:
        request = read(query)
    except QueryError:
        return
    assert request.window.steps <= MAX_COLUMNS + 1
