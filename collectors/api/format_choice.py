"""Which writer and media type a format has."""

from __future__ import annotations

from collections.abc import Callable

from collectors.api.formats.data_json import bare_json, standard_json
from collectors.api.formats.separated import separated_values
from collectors.api.formats.stats_json import stats_json
from collectors.api.formats.v2_json import v2_json
from collectors.api.graph_request import GraphFormat
from collectors.graph.chart import Chart
from collectors.graph.png import draw

Writer = Callable[[Chart], bytes]

_WRITERS: dict[GraphFormat, tuple[Writer, str]] = {
    GraphFormat.PNG: (draw, "image/png"),
    GraphFormat.CSV: (lambda chart: separated_values(chart, ","), "text/csv; charset=utf-8"),
    GraphFormat.TXT: (lambda chart: separated_values(chart, "\t"), "text/plain; charset=utf-8"),
    GraphFormat.JSON: (bare_json, "application/json"),
    GraphFormat.STD_JSON: (standard_json, "application/json"),
    GraphFormat.STATS_JSON: (stats_json, "application/json"),
    GraphFormat.V2_JSON: (v2_json, "application/json"),
}


def write_chart(chart: Chart, graph_format: GraphFormat) -> tuple[bytes, str]:
    """Return the body and the media type of ``chart`` in ``graph_format``."""
    writer, media_type = _WRITERS[graph_format]
    return writer(chart), media_type
