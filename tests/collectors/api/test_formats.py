"""What each format makes of a chart."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import numpy as np
import pytest

from collectors.api.format_choice import write_chart
from collectors.api.formats.identity import line_id
from collectors.api.graph_request import GraphFormat
from collectors.graph.chart import Chart, Line, LineStyle, Plot
from collectors.graph.color import Color

MINUTE = 60_000
START = 1_325_408_160_000  # 2012-01-01T08:56Z
HOURS = [8.0, 8.0, 8.0, 8.0, 9.0]
SPECIAL = [math.nan, math.inf, -math.inf, 0.1, 1e21]


def make_line(values: list[float], label: str, **changes: Any) -> Line:
    array = np.array(values)
    line = Line(
        label=label,
        tags={"name": label, "atlas.offset": "0w"},
        values=array,
        color=Color(0xF4, 0x23, 0x27, 0x1A),
    )
    return replace(line, **changes)


CHART = Chart(
    plots=(Plot(lines=(make_line(HOURS, "hour"), make_line(SPECIAL, 'odd "one"'))),),
    start_ms=START,
    end_ms=START + 5 * MINUTE,
    step_ms=MINUTE,
    warnings=("careful",),
)
EMPTY = replace(CHART, plots=(Plot(lines=()),), warnings=())


def body(chart: Chart, graph_format: GraphFormat) -> str:
    return write_chart(chart, graph_format)[0].decode()


def test_csv_has_a_row_a_timestamp_and_six_decimals() -> None:
    """A spreadsheet would read other numbers than Atlas writes."""
    assert body(CHART, GraphFormat.CSV).split("\n") == [
        '"timestamp","hour","odd ""one"""',
        "2012-01-01T08:56:00Z,8.000000,NaN",
        "2012-01-01T08:57:00Z,8.000000,Infinity",
        "2012-01-01T08:58:00Z,8.000000,-Infinity",
        "2012-01-01T08:59:00Z,8.000000,0.100000",
        "2012-01-01T09:00:00Z,9.000000,1000000000000000000000.000000",
        "",
    ]


def test_txt_is_csv_with_tabs() -> None:
    """Scripts that cut at tabs would find no columns."""
    rows = body(CHART, GraphFormat.TXT).split("\n")
    assert rows[1].split("\t") == ["2012-01-01T08:56:00Z", "8.000000", "NaN"]


def test_times_of_the_text_formats_are_in_the_first_zone() -> None:
    """Times in a file would be of another zone than asked for."""
    west = replace(CHART, zones=(timezone(timedelta(hours=-8)),))
    assert body(west, GraphFormat.CSV).split("\n")[1].startswith("2012-01-01T00:56:00-08:00,")


def test_a_label_cannot_add_rows() -> None:
    """A tag with a line break would shift every row after it."""
    chart = replace(CHART, plots=(Plot(lines=(make_line(HOURS, "a\r\nb"),)),))
    assert len(body(chart, GraphFormat.CSV).split("\n")) == 7


def test_standard_json_quotes_what_is_no_number() -> None:
    """A strict JSON reader would refuse the whole answer for one NaN."""
    assert json.loads(body(CHART, GraphFormat.STD_JSON)) == {
        "start": START,
        "step": MINUTE,
        "legend": ["hour", 'odd "one"'],
        "metrics": [
            {"atlas.offset": "0w", "name": "hour"},
            {"atlas.offset": "0w", "name": 'odd "one"'},
        ],
        "values": [[8.0, "NaN"], [8.0, "Infinity"], [8.0, "-Infinity"], [8.0, 0.1], [9.0, 1e21]],
        "notices": ["careful"],
    }


def test_plain_json_leaves_them_bare() -> None:
    """Clients of Atlas's own JSON would find texts where numbers were."""
    text = body(CHART, GraphFormat.JSON)
    assert "[8.0,NaN],[8.0,Infinity],[8.0,-Infinity]" in text
    assert list(json.loads(text)) == ["start", "step", "legend", "metrics", "values", "notices"]


def test_statistics_leave_the_data_out() -> None:
    """Who asks for statistics alone would be sent all data, or other statistics."""
    chart = replace(
        CHART, plots=(Plot(lines=(make_line(HOURS, "h"), make_line([math.nan] * 5, "n"))),)
    )
    content = json.loads(body(chart, GraphFormat.STATS_JSON))
    assert (content["start"], content["end"], content["step"]) == (START, START + 300_000, MINUTE)
    assert content["stats"][0] == {
        "count": 5,
        "avg": 8.2,
        "total": 41.0,
        "max": 9.0,
        "min": 8.0,
        "last": 9.0,
    }
    nothing = content["stats"][1]
    assert nothing["count"] == 0
    assert all(math.isnan(nothing[k]) for k in ("avg", "total", "max", "min", "last"))
    assert "values" not in content


def test_version_2_describes_the_graph_before_the_data() -> None:
    """A client that draws while it reads would not know the axes of what comes."""
    chart = replace(
        CHART,
        title="T",
        plots=(
            Plot(lines=(make_line(HOURS, "hour", query="hourOfDay,:time", group_by=("a",)),)),
            Plot(lines=(make_line(SPECIAL, "odd"),), ylabel="y", axis_color=Color(1, 2, 3)),
        ),
    )
    items = json.loads(body(chart, GraphFormat.V2_JSON))
    assert [item["type"] for item in items] == [
        "graph-image",
        "graph-metadata",
        "plot-metadata",
        "plot-metadata",
        "timeseries",
        "timeseries",
    ]
    head = "data:image/png;base64,"
    assert items[0]["data"].startswith(head)
    assert base64.b64decode(items[0]["data"][len(head) :])[:4] == b"\x89PNG"
    assert items[1] == {
        "type": "graph-metadata",
        "startTime": START,
        "endTime": START + 300_000,
        "timezones": ["UTC"],
        "step": MINUTE,
        "width": 700,
        "height": 300,
        "layout": "CANVAS",
        "zoom": 1.0,
        "title": "T",
        "legendType": "LABELS_WITH_STATS",
        "onlyGraph": False,
        "theme": "light",
        "warnings": ["careful"],
    }
    assert items[3] == {
        "type": "plot-metadata",
        "id": 1,
        "ylabel": "y",
        "axisColor": "010203ff",
        "scale": "LINEAR",
        "upper": "auto-style",
        "lower": "auto-style",
        "tickLabelMode": "DECIMAL",
    }
    line = items[4]
    assert (line["color"], line["lineStyle"], line["lineWidth"]) == ("f423271a", "LINE", 1.0)
    assert (line["query"], line["groupByKeys"]) == ("hourOfDay,:time", ["a"])
    assert line["id"] == line_id({**line["tags"], "atlas.query": "hourOfDay,:time"})
    assert items[5]["data"] == {
        "type": "array",
        "values": ["NaN", "Infinity", "-Infinity", 0.1, 1e21],
    }
    assert "id" not in items[5]


def test_version_2_leaves_the_image_out_on_request_and_bounds_are_text() -> None:
    """Clients that draw themselves would be sent an image with each answer."""
    plot = Plot(lines=CHART.plots[0].lines, lower=0.0, upper=42.0)
    items = json.loads(
        body(replace(CHART, hints=("no-image",), plots=(plot,)), GraphFormat.V2_JSON)
    )
    assert items[0]["type"] == "graph-metadata"
    assert items[0]["renderingHints"] == ["no-image"]
    assert (items[1]["lower"], items[1]["upper"]) == ("0.0", "42.0")


def test_version_2_gives_the_cells_of_a_heat_map() -> None:
    """A client could not draw a heat map, whose lines are not sent."""
    lines = tuple(make_line([v] * 5, f"l{v}", style=LineStyle.HEATMAP) for v in (1.0, 1.1, 9.0))
    chart = replace(CHART, plots=(Plot(lines=lines),), hints=("no-image",))
    heatmap = next(
        i for i in json.loads(body(chart, GraphFormat.V2_JSON)) if i["type"] == "heatmap"
    )
    values = heatmap["data"]["values"]
    assert len(values) == 5
    assert all(sum(column) == 3 for column in values)
    assert len(heatmap["yTicks"]) == len(values[0])
    assert heatmap["yTicks"][0]["min"] == 1.0
    assert heatmap["yTicks"][-1]["max"] == 9.0
    assert heatmap["colorTicks"][0]["min"] == 1.0
    assert heatmap["colorTicks"][-1]["max"] == 2.0


@pytest.mark.parametrize("graph_format", list(GraphFormat))
def test_every_format_can_say_nothing(graph_format: GraphFormat) -> None:
    """An expression without lines would be an error in some format."""
    content, media_type = write_chart(EMPTY, graph_format)
    assert content
    assert media_type.split(";")[0] in {
        "image/png",
        "text/csv",
        "text/plain",
        "application/json",
    }
