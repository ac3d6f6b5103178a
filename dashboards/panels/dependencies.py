"""Whom a service calls and who calls it, as spans tell."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts import service_map
from dashboards.markdown import plain
from dashboards.panels import service_list
from dashboards.telemetry.services import RECENT_S, Service
from tocsin.client.shapes import ServiceEdge
from tocsin.client.wording import quantity

_HEIGHT = 260
_MOST = 20


def draw(service: Service) -> None:
    """Draw the calls into and out of a service."""
    st.markdown(f"**Dependencies** · last {sources.MAP_MINUTES} min, from spans")
    edges = [*service.called_by, *(e for e in service.calls if e not in service.called_by)]
    if not edges:
        states.empty("No span tells of calls to or from it.")
        return
    shown = edges[:_MOST]
    st.echarts_chart(
        service_map.option({"services": [service.name], "edges": shown}, seconds=RECENT_S),
        height=_HEIGHT,
        key="dependencies",
        alt=f"{len(service.called_by)} callers, {len(service.calls)} services or stores called",
    )
    _listed("Called by", service.called_by)
    _listed("Calls", service.calls)
    if len(edges) > _MOST:
        st.caption(f"{len(edges) - _MOST} more are not drawn.")
    st.page_link(
        "app_pages/traces.py",
        label="Its traces",
        icon=":material/account_tree:",
        query_params={"service": service.name},
    )


def _listed(words: str, edges: Sequence[ServiceEdge]) -> None:
    for edge in edges[:_MOST]:
        st.markdown(f"{words} {worded(edge, 'client' if words == 'Called by' else 'server')}")


def worded(edge: ServiceEdge, end: str) -> str:
    """Return one kind of calls in words, named by one of its ends."""
    name = edge["client"] if end == "client" else edge["server"]
    ratio = edge["errors"] / edge["calls"] if edge["calls"] else None
    return (
        f"**{plain(name)}** · {quantity(edge['calls'] / RECENT_S, '1/s')} · "
        f"{service_list.failing(ratio)} · p99 {quantity(edge['p99_ms'], 'ms')}"
    )
