"""Overview: is all well? Services, open incidents, objectives, who calls whom."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.charts import palette, service_map
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import (
    incident_picker,
    judging,
    objectives,
    pulse,
    range_bar,
    service_list,
)
from dashboards.panels.charting import burning
from dashboards.telemetry.services import services_of
from dashboards.timerange import TimeRange
from dashboards.zone import clock, moment
from tocsin.client.shapes import IncidentSummary, ServiceMap, Slo
from tocsin.client.wording import duration, number

PAGE = Page(title="Overview", icon=":material/monitoring:", order=1, group="Now")

_MAP_HEIGHT = 340


def page() -> None:
    """Draw the range once and the rest in a live fragment."""
    span = range_bar.choose(None)
    with states.loading():
        sources.incidents()
        sources.instruments()
    st.fragment(_live, run_every=range_bar.run_every(span))(span)


def _live(span: TimeRange) -> None:
    incidents = states.value_or_notice(sources.incidents(), "incidents", key="incidents")
    metrics = states.value_or_notice(sources.instruments(), "metrics", key="instruments")
    spans = states.value_or_notice(
        sources.services(sources.MAP_MINUTES), "service map", key="services"
    )
    slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
    services = services_of(metrics.found if metrics else (), spans)
    with states.panel("Figures"):
        _figures(incidents, len(services) if metrics and spans else None, slos)
    with states.panel("Open incidents"):
        _open(incidents or [])
    left, right = st.columns([3, 2], gap="small")
    with left, st.container(border=True), states.panel("Services"):
        if services or (metrics is not None and spans is not None):
            service_list.draw(services)
    with right, st.container(border=True), states.panel("Service map"):
        _map(spans)
    with st.container(border=True), states.panel("Pulse"):
        st.markdown("**Pulse**")
        pulse.draw("overview", span)
    with states.panel("Objectives"):
        if slos is not None:
            objectives.draw(slos)
            burning.draw(slos, key="budget")


def _figures(
    incidents: list[IncidentSummary] | None, services: int | None, slos: list[Slo] | None
) -> None:
    open_count = sum(map(incident_picker.is_open, incidents)) if incidents is not None else None
    reading = sources.health()
    health = reading.value
    with st.grid(5, gap="small"):
        st.metric("Services", number(services), border=True)
        st.metric("Open incidents", number(open_count), border=True)
        st.metric("Objectives burning", objectives.burning(slos), border=True)
        judging.draw(health)
        st.metric(
            "Series kept",
            number(health["series"] if health else None),
            border=True,
            help=f"Server up {duration(health['uptime_s'])}" if health else None,
        )
    judging.draw_faults(health)
    st.caption(f"Read {clock(reading.read_ms)}")


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


def _map(found: ServiceMap | None) -> None:
    minutes = sources.MAP_MINUTES
    st.markdown(f"**Service map** · last {minutes} min, from spans")
    if found is None:
        return
    if not found["services"]:
        states.empty("No spans in the last minutes. Send traces to OTLP on port 4318.")
        return
    st.echarts_chart(
        service_map.option(found, seconds=minutes * 60),
        height=_MAP_HEIGHT,
        key="service-map",
        alt=f"{len(found['services'])} services with {len(found['edges'])} kinds of calls",
    )


page()
