"""Who calls whom, drawn and listed; a service or a kind of calls leads to its traces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboards import sources, states
from dashboards.charts import service_map
from dashboards.zone import clock
from tocsin.client.trace_studies import ComparedEdge, ComparedMap
from tocsin.client.wording import duration, number, percent, quantity

_LISTED = 200


def draw(minutes: int) -> None:
    """Draw the calls of the last minutes."""
    with states.loading():
        reading = sources.compared_map(minutes)
    found = states.value_or_notice(reading, "service map", key="service-map")
    if found is None:
        return
    if not found["edges"]:
        states.empty(
            f"No service called another in the last {minutes} min, as far as spans tell. Send "
            "traces to OTLP on port 4318: calls stand here some seconds after they ended.",
            icon=":material/hub:",
        )
        return
    _said(found)
    spec, height = service_map.compared_option(found)
    event = st.echarts_chart(
        spec,
        height=height,
        key="service-map",
        on_select="rerun",
        alt=f"{number(len(found['edges']))} kinds of calls, listed below",
    )
    if wanted := traces_of(event, found):
        st.switch_page("app_pages/traces.py", query_params=wanted)
    _listed(found)


def _said(found: ComparedMap) -> None:
    before = f"compared with {duration(found['before_ms'] / 1_000)} before"
    if not found["known_before"]:
        before = (
            f"what was {duration(found['before_ms'] / 1_000)} before is not known: memory does not "
            "reach back so far"
        )
    left_out = len(found["edges"]) - service_map.MAX_EDGES
    more = f" · {number(left_out)} more are listed and not drawn" if left_out > 0 else ""
    st.caption(
        f"As of {clock(found['end_ms'])} · {before}{more} · click a service or an arrow: its traces"
    )


def traces_of(event: Any, found: ComparedMap) -> dict[str, str]:
    """Return what to search for on behalf of what was clicked; nothing if nothing was."""
    for one in event["selection"]["selected"] if event else ():
        for at in one["data_indices"][:1]:
            if one["data_type"] == "edge":
                return searched(service_map.drawn_edges(found)[at], found)
            return {"service": service_map.drawn_services(found)[at]}
    return {}


def searched(edge: ComparedEdge, found: ComparedMap) -> dict[str, str]:
    """Return the search for the traces of one kind of calls.

    Who sends no spans of its own, as a database or a browser, is known by the other end alone.
    """
    client, server = edge["client"], edge["server"]
    caller = f"resource.service.name = {json.dumps(client, ensure_ascii=False)}"
    callee = f"resource.service.name = {json.dumps(server, ensure_ascii=False)}"
    if client not in found["services"]:
        return {"service": server}
    if server not in found["services"]:
        return {"q": f"{{ {caller} && (kind = client || kind = producer) }}"}
    return {"q": f"{{ {caller} }} > {{ {callee} }}"}


def _listed(found: ComparedMap) -> None:
    edges: Sequence[ComparedEdge] = sorted(found["edges"], key=service_map.importance)[:_LISTED]
    st.dataframe(
        [_row(edge, found) for edge in edges],
        hide_index=True,
        key="calls",
        column_config={"traces": st.column_config.LinkColumn("traces", display_text="open")},
        alt="Calls between services, those that fail most first",
    )
    if len(found["edges"]) > _LISTED:
        st.caption(f"{number(len(found['edges']) - _LISTED)} more; `tocsin traces map` has all.")


def _row(edge: ComparedEdge, found: ComparedMap) -> dict[str, object]:
    now, before = edge["now"], edge["before"]
    was = "none" if before is None and found["known_before"] else None
    return {
        "caller": edge["client"],
        "callee": edge["server"],
        "calls": "none" if now is None else quantity(now["rate"], "1/s"),
        "calls before": was or quantity(before and before["rate"], "1/s"),
        "fail": "no calls" if now is None else percent(now["error_ratio"]),
        "fail before": percent(before and before["error_ratio"]),
        "p99, caller": quantity(now and now["client_p99_ms"], "ms"),
        "caller before": quantity(before and before["client_p99_ms"], "ms"),
        "p99, callee": quantity(now and now["server_p99_ms"], "ms"),
        "callee before": quantity(before and before["server_p99_ms"], "ms"),
        "traces": f"traces?{urlencode(searched(edge, found))}",
    }
