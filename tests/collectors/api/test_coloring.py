"""Colours are given out where an answer shows them, and nowhere else."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams

from collectors.api.coloring import NoColors, ThemeColors, coloring_for
from collectors.api.graph import make_chart
from collectors.api.graph_request import GraphFormat, GraphRequest, read_graph_request
from collectors.api.parameters import Parameters
from collectors.errors import QueryError
from collectors.graph.color import Color
from collectors.stacklang.testing.memory import MemoryDatabase

NOW_MS = 1_700_000_000_000
PLAIN = [f for f in GraphFormat if f not in {GraphFormat.PNG, GraphFormat.V2_JSON}]


def request(query: str) -> GraphRequest:
    """Read a query string."""
    return read_graph_request(Parameters(QueryParams(query)), primary_ms=60_000, now_ms=NOW_MS)


def colors(query: str) -> list[Color]:
    """The colours of the lines that a graph has."""
    chart = make_chart(request(query), MemoryDatabase(60_000), NOW_MS)
    return [line.color for line in chart.lines]


@pytest.mark.parametrize("form", PLAIN)
def test_data_answers_resolve_no_theme_and_no_palette(form: GraphFormat) -> None:
    """A JSON graph would otherwise pay for colours that nobody sees."""
    given = f"q=1,2,f00,:color,3&theme=dark&palette=reds&vision=protanopia&format={form}"

    assert colors(given) == [Color(0, 0, 0)] * 3
    assert type(coloring_for(request(given))) is NoColors


@pytest.mark.parametrize("form", list(GraphFormat))
@pytest.mark.parametrize(
    "query",
    [
        "q=1&theme=neon",
        "q=1&palette=nope",
        "q=1,nope,:palette",
        "q=1,nope,:color",
        "q=1,(,zz,),:palette",
        "q=1,zz,:alpha",
    ],
)
def test_a_wrong_colour_is_refused_by_every_format(form: GraphFormat, query: str) -> None:
    """Whoever tries an expression as JSON first must hear of the mistake there."""
    with pytest.raises(QueryError):
        colors(f"{query}&format={form}")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=1,2", ["#0075dc", "#993f00"]),
        ("q=1,2&palette=reds", ["#67000d", "#a50f15"]),
        ("q=1,2&palette=reds&palette.0=blues", ["#08306b", "#08519c"]),
        ("q=1,f00,:color,2", ["#ff0000", "#0075dc"]),
        ("q=1,reds,:palette,2", ["#67000d", "#0075dc"]),
        ("q=1&theme=dark", ["#fd3216"]),
        ("q=1,f00,:color&vision=achromatopsia", ["#4c4c4c"]),
    ],
)
def test_colours_come_from_the_line_the_axis_the_request_or_the_theme(
    query: str, wanted: list[str]
) -> None:
    """The nearest to the line wins, and a colour of its own takes none from the palette."""
    assert [f"#{c.red:02x}{c.green:02x}{c.blue:02x}" for c in colors(query)] == wanted


def test_transparency_applies_to_every_source_of_colours() -> None:
    """An expression's alpha is the last word on its lines."""
    assert [color.alpha for color in colors("q=1,40,:alpha,2,f00,:color,80,:alpha")] == [64, 128]


@pytest.mark.parametrize("form", ["png", "v2.json"])
def test_formats_that_show_colours_have_some(form: str) -> None:
    """``v2.json`` names each line's colour, tables of values do not."""
    assert type(coloring_for(request(f"q=1&format={form}"))) is ThemeColors
