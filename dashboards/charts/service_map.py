"""The service map: who calls whom, where errors are, laid out the same way at every refresh."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Any

from dashboards.charts import palette
from tocsin.client.shapes import ServiceEdge, ServiceMap
from tocsin.client.wording import percent, quantity

Option = dict[str, Any]

# Places span about the pixels of the panel: ECharts stretches symbols with the coordinates.
_WIDTH = 400.0
_HEIGHT = 330.0
_ERRORS_BAD = 0.05
_ERRORS_SOME = 0.005


def option(found: ServiceMap, *, seconds: float) -> Option:
    """Return an ECharts graph whose columns follow the calls from left to right.

    Args:
        found: Services and edges, counted over ``seconds``.
        seconds: Length of the window, to word calls as a rate.
    """
    services = sorted({*found["services"], *_mentioned(found["edges"])})
    places = positions(services, found["edges"])
    return {
        "animation": False,
        "tooltip": {"confine": True, "formatter": "{b}"},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "symbolSize": 24,
                "preserveAspect": "contain",
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 8,
                "label": {"show": True, "position": "bottom", "fontSize": 12},
                "left": 50,
                "right": 50,
                "top": 24,
                "bottom": 44,
                "data": [_node(name, places[name], found["edges"]) for name in services],
                "links": [_link(edge, seconds) for edge in found["edges"]],
            }
        ],
    }


def positions(services: list[str], edges: list[ServiceEdge]) -> dict[str, tuple[float, float]]:
    """Place each service in the column of its longest call chain from an entry.

    Cycles end the count: no chain is longer than there are services.
    """
    column = dict.fromkeys(services, 0)
    for _ in services:
        for edge in edges:
            if edge["client"] != edge["server"]:
                deeper = min(column[edge["client"]] + 1, len(services))
                column[edge["server"]] = max(column[edge["server"]], deeper)
    used = {c: i for i, c in enumerate(sorted(set(column.values())))}
    members: dict[int, list[str]] = defaultdict(list)
    for name in services:
        members[used[column[name]]].append(name)
    last = max(len(members) - 1, 1)
    return {
        name: (c * _WIDTH / last, (row + 0.5) * _HEIGHT / len(names))
        for c, names in members.items()
        for row, name in enumerate(names)
    }


def error_ratio(name: str, edges: list[ServiceEdge]) -> float | None:
    """Return the share of failed calls into a service, None when nobody called it."""
    calls = sum(edge["calls"] for edge in edges if edge["server"] == name)
    errors = sum(edge["errors"] for edge in edges if edge["server"] == name)
    return errors / calls if calls else None


def _mentioned(edges: list[ServiceEdge]) -> set[str]:
    return {name for edge in edges for name in (edge["client"], edge["server"])}


def _color(ratio: float | None) -> str:
    if ratio is None:
        return palette.QUIET
    if ratio >= _ERRORS_BAD:
        return palette.TROUBLE
    return palette.CAUTION if ratio >= _ERRORS_SOME else palette.CALM


def _node(name: str, place: tuple[float, float], edges: list[ServiceEdge]) -> Option:
    ratio = error_ratio(name, edges)
    health = "no calls seen" if ratio is None else f"{percent(ratio)} of calls fail"
    return {
        "id": name,
        "name": name,
        "x": place[0],
        "y": place[1],
        "itemStyle": {"color": _color(ratio)},
        "tooltip": {"formatter": escape(f"{name}: {health}")},  # ECharts reads it as HTML
    }


def _link(edge: ServiceEdge, seconds: float) -> Option:
    ratio = edge["errors"] / edge["calls"] if edge["calls"] else None
    rate = quantity(edge["calls"] / seconds if seconds > 0 else None, "1/s")
    worded = (
        f"{edge['client']} → {edge['server']}: {rate} calls, {percent(ratio)} errors, "
        f"p50 {quantity(edge['p50_ms'], 'ms')}, p99 {quantity(edge['p99_ms'], 'ms')}"
    )
    return {
        "source": edge["client"],
        "target": edge["server"],
        "lineStyle": {
            "color": _color(ratio),
            "width": 1.5 if ratio is None or ratio < _ERRORS_SOME else 3,
            "curveness": 0.08,
        },
        "label": {"show": True, "formatter": rate, "fontSize": 10},
        "tooltip": {"formatter": escape(worded)},
    }
