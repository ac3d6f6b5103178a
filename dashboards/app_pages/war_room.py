"""War room: everything about one incident on one page, live; calm charts when there is none."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts import marks
from dashboards.navigation import Page
from dashboards.panels import (
    actions,
    declaring,
    evidence,
    exemplar,
    incident_header,
    incident_picker,
    more_actions,
    notifications,
    objectives,
    pulse,
    quiet,
    range_bar,
    response,
    runbook,
    runs,
    timeline,
)
from dashboards.panels.logs import news
from dashboards.telemetry.panel import Panel
from dashboards.timerange import AROUND, TimeRange
from tocsin.client.shapes import Incident, IncidentSummary

PAGE = Page(
    title="War room", icon=":material/e911_emergency:", order=2, group="Now", other_path="war-room"
)

_TIMELINE_HEIGHT = 398


def page() -> None:
    """Draw the controls once and everything else in a fragment that follows the data."""
    with states.loading():
        incidents = sources.incidents().value or []
    known = _listed(incidents)
    with st.container(horizontal=True, vertical_alignment="center", key="war-room-bar"):
        chosen = incident_picker.choose(incidents)
        first = sources.incident(chosen).value if chosen else None
        span = range_bar.choose(first, extra=(AROUND,) if first else ())
        more = sum(incident_picker.is_open(i) and i["id"] != chosen for i in incidents)
        if chosen and more:
            st.badge(f"{more} more open", icon=":material/warning:", color="orange")
        declaring.draw()
    if chosen is None:
        actions.tell()
    st.fragment(_live, run_every=range_bar.run_every(span))(chosen, span, known)


def _live(chosen: str | None, span: TimeRange, known: tuple[str, ...]) -> None:
    reading = sources.incidents()
    incidents = states.value_or_notice(reading, "incidents", key="incidents")
    if incidents is None:
        return
    if _listed(incidents) != known:
        if chosen is not None:  # who watched it end wants to go on reading it
            st.query_params[incident_picker.PARAMETER] = chosen
        st.rerun()  # the picker above stands outside of the fragment
    if chosen is None:
        quiet.draw(incidents, span)
        return
    detail = sources.incident(chosen)
    incident = states.value_or_notice(detail, f"incident {chosen}", key="incident")
    if incident is not None:
        _incident(incident, incidents, detail.read_ms, span)


def _incident(
    incident: Incident,
    incidents: Sequence[IncidentSummary],
    read_ms: int | None,
    span: TimeRange,
) -> None:
    now_ms = sources.now_ms()
    with states.panel("Incident"):
        incident_header.draw(incident, updated_ms=read_ms)
        actions.draw(incident, lambda: more_actions.draw(incident, incidents))
        incident_header.draw_times(incident, now_ms=now_ms)
    left, right = st.columns([5, 3], gap="small")
    drawn: tuple[Panel, ...] = ()
    with left, states.panel("Pulse"):
        window = marks.of_incident(incident, now_ms=now_ms)
        drawn = pulse.draw("war_room", span, marks=window, involved=incident["services"])
    with right, states.panel("Timeline"):
        marked = st.query_params.get(timeline.PARAMETER, "")
        timeline.draw(incident["timeline"], height=_TIMELINE_HEIGHT, marked=marked)
    with states.panel("Objectives"):
        slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
        if slos is not None:
            objectives.draw(slos)
    _below(incident, span, drawn)


def _below(incident: Incident, span: TimeRange, drawn: Sequence[Panel]) -> None:
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True), states.panel("Evidence"):
        evidence.draw_diagnosis(incident["diagnosis"])
        evidence.draw(incident["findings"], incident["more_findings"])
        evidence.draw_changes(incident["near_changes"])
    with right, st.container(border=True), states.panel("Runbook"):
        runbook.draw(incident)
        runs.draw(incident)
    with st.container(border=True), states.panel("Response"):
        response.draw(incident)
    with st.container(border=True), states.panel("Exemplar trace"):
        exemplar.draw_chosen(incident["exemplar_trace_ids"])
    with st.container(border=True):
        news.draw_since(incident)
    with st.container(border=True), states.panel("Notifications"):
        notifications.draw(incident)
    with states.panel("Incident's charts"):
        pulse.draw_proposed(incident, span, drawn)


def _listed(incidents: list[IncidentSummary]) -> tuple[str, ...]:
    return tuple(incident_picker.label(incident) for incident in incidents)


page()
