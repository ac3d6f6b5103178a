"""Overview: is the platform well? Pulse, open incidents, objectives, who calls whom."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.charts import palette, service_map
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import incident_picker, objectives, pulse, range_bar
from dashboards.timerange import TimeRange
from tocsin.client.shapes import IncidentSummary
from tocsin.client.wording import clock, duration, moment, number, quantity

PAGE = Page(title="Overview", icon=":material/monitoring:", order=1)

_MAP_MINUTES = 5
_MAP_HEIGHT = 340


def page() -> None:
    """Draw the range once and the rest in a live fragment."""
    span = range_bar.choose(None)
    with states.loading():
        sources.incidents()
    st.fragment(_live, run_every=range_bar.run_every(span))(span)


def _live(span: TimeRange) -> None:
    incidents = states.value_or_notice(sources.incidents(), "incidents", key="incidents")
    with states.panel("Figures"):
        _figures(incidents)
    with states.panel("Open incidents"):
        _open(incidents or [])
    left, right = st.columns([3, 2], gap="small")
    with left, st.container(border=True), states.panel("Pulse"):
        pulse.draw(span, key="pulse")
    with right, st.container(border=True), states.panel("Service map"):
        _services()
    with states.panel("Objectives"):
        slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
        if slos is not None:
            objectives.draw(slos)


def _figures(incidents: list[IncidentSummary] | None) -> None:
    starts = sources.graph(pulse.STARTS.expression, "e-5m").value
    latency = sources.graph(pulse.LATENCY.expression, "e-5m").value
    by_region = pulse.newest(starts) if starts else {}
    p99 = pulse.newest(latency).get("p99") if latency else None
    open_count = sum(map(incident_picker.is_open, incidents)) if incidents is not None else None
    health = sources.health().value
    with st.grid(4, gap="small"):
        st.metric(
            "Stream starts, all regions",
            quantity(sum(by_region.values()) if by_region else None, "1/s"),
            border=True,
        )
        st.metric("Gateway p99", quantity(p99, "s"), border=True)
        st.metric("Open incidents", number(open_count), border=True)
        st.metric(
            "Series kept",
            number(health["series"] if health else None),
            border=True,
            help=f"Server up {duration(health['uptime_s'])}" if health else None,
        )
    st.caption(f"Newest complete step · read {clock(sources.now_ms())}")


def _open(incidents: list[IncidentSummary]) -> None:
    for incident in incidents:
        if not incident_picker.is_open(incident):
            continue
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge(incident["severity"], color=palette.severity(incident["severity"]))
            st.badge(incident["status"], color=palette.status(incident["status"]))
            opened = moment(incident["opened_ms"])
            st.markdown(
                f"**{plain(incident['title'])}** · {duration(incident['elapsed_s'])} · {opened}",
                width="stretch",
            )
            st.page_link(
                "app_pages/war_room.py",
                label="Enter the war room",
                icon=":material/e911_emergency:",
                query_params={incident_picker.PARAMETER: incident["id"]},
            )


def _services() -> None:
    st.markdown(f"**Service map** · last {_MAP_MINUTES} min")
    found = states.value_or_notice(sources.services(_MAP_MINUTES), "services", key="services")
    if found is None:
        return
    if not found["services"]:
        states.empty("No spans in the last minutes. Send traces to OTLP on port 4318.")
        return
    st.echarts_chart(
        service_map.option(found, seconds=_MAP_MINUTES * 60),
        height=_MAP_HEIGHT,
        key="service-map",
        alt=f"{len(found['services'])} services with {len(found['edges'])} kinds of calls",
    )


page()
