"""The heat map of a search: a rectangle drawn on it is compared with the rest."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboards import sources, states, timerange, zone
from dashboards.charts import heat_map
from dashboards.charts.heat_map import Chosen
from dashboards.panels.sessions import common
from tocsin.client.trace_studies import HeatMap
from tocsin.client.wording import estimated, number

Criteria = dict[str, str | int | float]

_LAST = {"15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1440}
_MAP = "map"
_DRAWN = "heat-drawn"


def draw(criteria: Criteria) -> Criteria:
    """Draw the map and what sets a chosen rectangle apart; return what it adds to the search."""
    chosen = heat_map.parse(st.query_params.get(heat_map.BOX))
    pinned = timerange.parse_pin(st.query_params.get(_MAP))
    with st.container(horizontal=True, vertical_alignment="center", key="heat-bar"):
        st.markdown(f"**When they began, how long they took** · spans, {zone.label()}")
        last = st.radio(
            "Map of the last",
            list(_LAST),
            horizontal=True,
            key="last",
            bind="query-params",
            disabled=pinned is not None,
            label_visibility="collapsed",
        )
        if chosen is not None:
            st.badge(chosen.words(zone.shown()), icon=":material/select_all:", color="orange")
            st.button("Clear the selection", key="clear-box", on_click=_clear)
    times: Criteria = {}
    if pinned is not None and pinned.span_ms is not None:
        times = dict(zip(("start_ms", "end_ms"), pinned.span_ms, strict=True))
    reading = sources.heat_map(_LAST.get(last or "", 15), **{**criteria, **times})
    found = states.value_or_notice(reading, "heat map", key="heat-map")
    if found is not None:
        with states.panel("Heat map"):
            _drawn(found, chosen)
    if chosen is None:
        return {}
    box: Criteria = {heat_map.BOX: chosen.text}
    with states.panel("Differences"):
        common.differs(**{**criteria, **times, **box})
    return box


def _drawn(found: HeatMap, chosen: Chosen | None) -> None:
    states.notes(found["notes"])
    if not found["cells"]:
        states.empty("No span of this time matches. Take a longer time or fewer criteria.")
        return
    # A new identity after each choice: the old frame must not lie over what it chose.
    drawn = st.session_state.get(_DRAWN, 0)
    with st.container(key="heat-chart"):
        event = st.vega_lite_chart(
            heat_map.chart(found, chosen, zone.shown()).to_dict(),
            key=f"heat-{drawn}",
            on_select="rerun",
            selection_mode=heat_map.BOX,
            alt=f"Heat map of {number(found['spans'])} spans by time and duration",
        )
    told = estimated(found["spans"], found["observed"])
    told = f"{number(found['spans'])} spans{', ' if told else ''}{told}"
    st.caption(f"{told} · drag over the map: what sets those spans apart from the others?")
    _choose(event, found)


def _choose(event: Any, found: HeatMap) -> None:
    selected = event["selection"].get(heat_map.BOX) if event else None
    chosen = heat_map.chosen_of(selected, found) if selected else None
    if chosen is None or st.query_params.get(heat_map.BOX) == chosen.text:
        return
    st.query_params[heat_map.BOX] = chosen.text
    st.query_params[_MAP] = f"{found['start_ms']}-{found['end_ms']}"
    st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1
    st.rerun()


def _clear() -> None:
    st.query_params.pop(heat_map.BOX, None)
    st.query_params.pop(_MAP, None)
