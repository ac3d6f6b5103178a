"""``v2.json``: a list of typed objects that describe a graph in full."""

from __future__ import annotations

import base64

from collectors.api.formats.identity import line_id
from collectors.api.formats.json_text import to_json
from collectors.api.formats.values import quoted, quoted_number
from collectors.budget import answered
from collectors.graph.chart import Bound, Chart, Layout, Line, Plot
from collectors.graph.heatmap import Heatmap
from collectors.graph.png import arrange, draw
from collectors.stacklang.text.literals import format_double

Item = dict[str, object]

_LAYOUTS = {
    Layout.CANVAS: "CANVAS",
    Layout.IMAGE: "IMAGE",
    Layout.IMAGE_WIDTH: "IMAGE_WIDTH",
    Layout.IMAGE_HEIGHT: "IMAGE_HEIGHT",
}


def v2_json(chart: Chart) -> bytes:
    """Return image, graph, axes, heat maps and lines, metadata before data.

    The hint ``no-image`` leaves the image out.
    """
    items: list[Item] = []
    if "no-image" not in chart.hints:
        encoded = base64.b64encode(draw(chart)).decode("ascii")
        items.append({"type": "graph-image", "data": f"data:image/png;base64,{encoded}"})
    items.append(_graph(chart))
    for i, (plot, heatmap) in enumerate(zip(chart.plots, arrange(chart).heatmaps, strict=True)):
        items.append(_plot(plot, i))
        if heatmap is not None:
            items.append(_heatmap(heatmap, i))
    for i, plot in enumerate(chart.plots):
        for line in plot.lines:
            answered(2 * len(line.query))  # it is written, and hashed for the id
            items.append(_line(line, i))
    return to_json(items)


def _graph(chart: Chart) -> Item:
    item: Item = {
        "type": "graph-metadata",
        "startTime": chart.start_ms,
        "endTime": chart.end_ms,
        "timezones": [str(zone) for zone in chart.zones],
        "step": chart.step_ms,
        "width": chart.width,
        "height": chart.height,
        "layout": _LAYOUTS[chart.layout],
        "zoom": chart.zoom,
    }
    if chart.title is not None:
        item["title"] = chart.title
    item |= {
        "legendType": chart.legend.value,
        "onlyGraph": chart.only_graph,
        "theme": chart.theme.name,
        "warnings": list(chart.warnings),
    }
    if chart.partial:
        item["partial"] = True
    if chart.hints:
        item["renderingHints"] = list(chart.hints)
    return item


def _plot(plot: Plot, index: int) -> Item:
    item: Item = {"type": "plot-metadata", "id": index}
    if plot.ylabel is not None:
        item["ylabel"] = plot.ylabel
    if plot.axis_color is not None:
        item["axisColor"] = plot.axis_color.rgba_hex
    return item | {
        "scale": plot.scale.name,
        "upper": _bound(plot.upper),
        "lower": _bound(plot.lower),
        "tickLabelMode": plot.tick_labels.name,
    }


def _bound(bound: Bound) -> str:
    return bound.value if isinstance(bound, str) else format_double(bound)


def _line(line: Line, plot: int) -> Item:
    item: Item = {"type": "timeseries"}
    if line.query:
        item["id"] = line_id({**line.tags, "atlas.query": line.query})
    item |= {
        "plot": plot,
        "label": line.label,
        "color": line.color.rgba_hex,
        "lineStyle": line.style.name,
        "lineWidth": line.width,
    }
    if line.query:
        item["query"] = line.query
    if line.group_by:
        item["groupByKeys"] = list(line.group_by)
    item["tags"] = dict(line.tags)
    return item | {"data": {"type": "array", "values": quoted(line.values)}}


def _heatmap(heatmap: Heatmap, plot: int) -> Item:
    settings = heatmap.settings
    item: Item = {
        "type": "heatmap",
        "plot": plot,
        "colorScale": settings.color_scale.name,
        "upper": _bound(settings.upper),
        "lower": _bound(settings.lower),
    }
    if settings.label is not None:
        item["label"] = settings.label
    edges, color_edges = heatmap.edges.tolist(), heatmap.color_edges.tolist()
    color_labels = heatmap.color_labels()
    y_ticks = zip(edges, edges[1:], heatmap.edge_labels[1:], strict=False)
    colors = zip(heatmap.colors, color_edges, color_edges[1:], color_labels[1:], strict=False)
    return item | {
        "yTicks": [{"min": low, "max": high, "label": label} for low, high, label in y_ticks],
        "colorTicks": [
            {
                "color": color.rgba_hex,
                "min": quoted_number(low),
                "max": quoted_number(high),
                "label": label,
            }
            for color, low, high, label in colors
        ],
        "data": {"type": "heatmap", "values": heatmap.counts.tolist()},
    }
