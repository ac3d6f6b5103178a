"""The service map: who calls whom, where errors are, laid out the same way at every refresh."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Any

from dashboards.charts import palette
from tocsin.client.shapes import ServiceEdge, ServiceMap
from tocsin.client.trace_studies import ComparedEdge, ComparedMap, EdgeMeasures
from tocsin.client.wording import percent, quantity

Option = dict[str, Any]

# Places span about the pixels of the panel: ECharts stretches symbols with the coordinates.
_WIDTH = 400.0
_HEIGHT = 330.0
_ERRORS_BAD = 0.05
_ERRORS_SOME = 0.005
MAX_EDGES = 60
_WIDE = 900.0
_ROW = 84.0
_LABEL = 130
_NARROW = 600
_SECONDS = 1_000.0


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


def compared_option(found: ComparedMap) -> tuple[Option, int]:
    """Return an ECharts graph of calls now against before, and the height that it needs, pixels.

    Nodes and links can be clicked; they stand in the order of :func:`drawn_services` and
    :func:`drawn_edges`.
    """
    edges = drawn_edges(found)
    plain = [_plain(edge) for edge in edges]
    services = drawn_services(found)
    spec = option({"services": services, "edges": plain}, seconds=_SECONDS)
    rows = _rows(services, plain)
    places = positions(services, plain, width=_WIDE, height=rows * _ROW)
    (series,) = spec["series"]
    # On axes symbols and labels keep their shape, however wide the window is.
    series |= {"selectedMode": "single", "coordinateSystem": "cartesian2d"}
    for key in ("left", "right", "top", "bottom", "preserveAspect"):
        del series[key]
    spec["grid"] = {"top": 8, "bottom": 24}
    spec["xAxis"] = {"type": "value", "show": False, "min": 0, "max": _WIDE}
    spec["yAxis"] = {"type": "value", "show": False, "min": 0, "max": rows * _ROW, "inverse": True}
    series["label"] |= {"overflow": "break"}
    for node in series["data"]:
        node["value"] = list(places[node["id"]])
    for edge, link in zip(edges, series["links"], strict=True):
        link["tooltip"] = {"formatter": escape(worded(edge)).replace("\n", "<br>")}
        link["lineStyle"] |= {"opacity": 1}  # labels are as pale as their lines
        fails = edge["now"] is not None and edge["now"]["error_ratio"] >= _ERRORS_SOME
        link["label"] = {"formatter": _short(edge), "fontSize": 11}
        link["label"] |= {"show": True} if fails else {}
        if edge["now"] is None:
            link["lineStyle"] |= {"type": "dashed", "color": palette.QUIET}
    spec["media"] = [
        {"query": {"maxWidth": _NARROW}, "option": _sized(36, 10, _LABEL // 2, rates=False)},
        {"option": _sized(64, 12, _LABEL, rates=True)},
    ]
    return spec, int(rows * _ROW) + 60


def _sized(margin: int, font: int, width: int, *, rates: bool) -> Option:
    """Return what depends on how wide the window is: on a telephone names and failures alone."""
    label = {"fontSize": font, "width": width, "lineHeight": font + 2}
    return {
        "grid": {"left": margin, "right": margin},
        "series": [{"label": label, "edgeLabel": {"show": rates}}],
    }


def drawn_edges(found: ComparedMap) -> list[ComparedEdge]:
    """Return the edges that are drawn: those that fail most first, then the busiest."""
    return sorted(found["edges"], key=importance)[:MAX_EDGES]


def drawn_services(found: ComparedMap) -> list[str]:
    """Return the services that stand at an edge that is drawn, sorted."""
    edges = drawn_edges(found)
    return sorted({name for edge in edges for name in (edge["client"], edge["server"])})


def worded(edge: ComparedEdge) -> str:
    """Return in lines what an edge carries, as both sides see it, and what it was before."""
    now, before = edge["now"], edge["before"]
    lines = [f"{edge['client']} → {edge['server']}"]
    lines.append("now: no calls" if now is None else f"now: {_measures(now)}")
    if before is not None:
        lines.append(f"before: {_measures(before)}")
    return "\n".join(lines)


def _measures(one: EdgeMeasures) -> str:
    return (
        f"{quantity(one['rate'], '1/s')}, {percent(one['error_ratio'])} fail, p99 "
        f"{quantity(one['client_p99_ms'], 'ms')} as the caller sees it, "
        f"{quantity(one['server_p99_ms'], 'ms')} as the callee does"
    )


def _short(edge: ComparedEdge) -> str:
    now = edge["now"]
    if now is None:
        return "no calls now"
    rate = quantity(now["rate"], "1/s")
    bad = now["error_ratio"] >= _ERRORS_SOME
    return f"{rate} · {percent(now['error_ratio'])} fail" if bad else rate


def importance(edge: ComparedEdge) -> tuple[float, float, str, str]:
    """Return what puts those that fail most first, then the busiest."""
    now = edge["now"]
    failing = now["error_ratio"] if now and now["error_ratio"] >= _ERRORS_SOME else 0.0
    return -failing, -(now["rate"] if now else 0.0), edge["client"], edge["server"]


def _plain(edge: ComparedEdge) -> ServiceEdge:
    """Return an edge as it is now, with the calls of a thousand seconds."""
    now = edge["now"]
    calls = now["rate"] * _SECONDS if now else 0.0
    return {
        "client": edge["client"],
        "server": edge["server"],
        "calls": round(calls),
        "errors": round(calls * now["error_ratio"]) if now else 0,
        "p50_ms": now["client_p50_ms"] if now else 0.0,
        "p99_ms": now["client_p99_ms"] if now else 0.0,
    }


def _rows(services: list[str], edges: list[ServiceEdge]) -> int:
    """Return how many services the fullest column has."""
    columns = [x for x, _ in positions(services, edges).values()]
    return max((columns.count(x) for x in columns), default=1)


def positions(
    services: list[str],
    edges: list[ServiceEdge],
    *,
    width: float = _WIDTH,
    height: float = _HEIGHT,
) -> dict[str, tuple[float, float]]:
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
        name: (c * width / last, (row + 0.5) * height / len(names))
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
