"""Services side by side: traffic, errors, duration of each, with the way to its page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.telemetry.services import (
    RECENT,
    Figures,
    Service,
    figure_queries,
    figures_of,
)
from tocsin.client.graphs import Graph
from tocsin.client.wording import NO_DATA, percent, quantity

PAGE = "app_pages/service.py"
PARAMETER = "service"
MAX_SHOWN = 40
_ERRORS_BAD = 0.05
_ERRORS_SOME = 0.005


def draw(services: Sequence[Service]) -> None:
    """Draw one row a service, those that fail most first."""
    st.markdown(f"**Services** · {len(services)}, newest minute within the last 5")
    if not services:
        states.empty(
            "No service yet: send traces or metrics to OTLP on port 4318, or scrape a page of "
            "Prometheus metrics."
        )
        return
    ranked = sorted(figures(services), key=_rank)
    for row in ranked[:MAX_SHOWN]:
        _row(row)
    if len(ranked) > MAX_SHOWN:
        st.caption(f"{len(ranked) - MAX_SHOWN} more are not listed; each has its page.")


def figures(services: Sequence[Service]) -> tuple[Figures, ...]:
    """Return the figures of services, asked for all of them at once."""
    instruments = {one.name: one for service in services for one in service.instruments}
    graphs: dict[str, Graph] = {}
    queries = tuple(figure_queries(instruments.values()))
    sources.expect_graphs(queries, RECENT)
    for query in queries:
        graph = sources.graph(query, RECENT).value
        if graph is not None:
            graphs[query] = graph
    return figures_of(services, graphs)


def worded(row: Figures) -> str:
    """Return a service's figures as Markdown; what is not measured is said to be so.

    >>> worded(Figures(service="shop", traffic=2.0, error_ratio=0.5, source="HTTP requests"))
    '2/s · :red[**50 %** fail] · HTTP requests'
    >>> worded(Figures(service="shop"))
    'nothing in the last 5 minutes'
    """
    if row.traffic is None:
        return plain(row.source)
    parts = [quantity(row.traffic, "1/s"), failing(row.error_ratio)]
    if row.duration_s is not None:
        parts.append(f"{row.duration_kind} {quantity(row.duration_s, 's')}")
    return " · ".join([*parts, plain(row.source)])


def failing(ratio: float | None) -> str:
    """Return the share of failures in the colour that it deserves.

    >>> failing(0.0), failing(None)
    ('**0 %** fail', 'failures are not told')
    """
    if ratio is None:
        return "failures are not told"
    color = error_color(ratio)
    words = f"**{percent(ratio)}** fail"
    return words if color == "gray" else f":{color}[{words}]"


def error_color(ratio: float | None) -> BadgeColor:
    """Return how bad a share of failures is."""
    if ratio is None or ratio < _ERRORS_SOME:
        return "gray"
    return "red" if ratio >= _ERRORS_BAD else "orange"


def link(name: str, *, width: int | None = None) -> None:
    """Draw the way to a service's page."""
    st.page_link(
        PAGE,
        label=plain(name) or NO_DATA,
        icon=":material/deployed_code:",
        query_params={PARAMETER: name},
        width=width or "content",
    )


def _row(row: Figures) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        link(row.service, width=230)
        st.markdown(worded(row), width="stretch")


def _rank(row: Figures) -> tuple[bool, float, str]:
    return row.traffic is None, -(row.error_ratio or 0.0), row.service
