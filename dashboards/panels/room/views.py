"""What stands one click behind the first screen: one view at a time is asked for and drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboards import sources, states
from dashboards.charts import marks
from dashboards.markdown import plain
from dashboards.panels import (
    evidence,
    exemplar,
    incident_header,
    notifications,
    objectives,
    pulse,
    response,
    runbook,
    runs,
    timeline,
)
from dashboards.panels.logs import news
from dashboards.panels.room import figures, set_apart
from dashboards.timerange import TimeRange
from tocsin.client.response.screen_shapes import Screen

_TIMELINE_HEIGHT = 560


def _evidence(screen: Screen, _: TimeRange) -> None:
    incident = screen["incident"]
    for kpi in screen["kpis"]:
        st.markdown(f"**{plain(kpi['title'])}** · {kpi['now']} · {plain(figures.described(kpi))}")
    for lost in screen["impact"]:
        st.markdown(f"**{plain(lost['title'])}** · {plain(lost['text'])} · {plain(lost['note'])}")
    for label, said in (("for", screen["cause"]["why"]), ("against", screen["cause"]["against"])):
        for line in said:
            st.markdown(f"{label}: {plain(line)}")
    set_apart.draw(screen)
    evidence.draw_diagnosis(incident["diagnosis"])
    evidence.draw_changes(incident["near_changes"])
    evidence.draw(incident["findings"], incident["more_findings"])


def _charts(screen: Screen, span: TimeRange) -> None:
    incident = screen["incident"]
    window = marks.of_incident(incident, now_ms=sources.now_ms())
    drawn = pulse.draw("war_room", span, marks=window, involved=incident["services"])
    pulse.draw_proposed(incident, span, drawn)


def _timeline(screen: Screen, _: TimeRange) -> None:
    marked = st.query_params.get(timeline.PARAMETER, "")
    timeline.draw(screen["incident"]["timeline"], height=_TIMELINE_HEIGHT, marked=marked)


def _traces(screen: Screen, _: TimeRange) -> None:
    exemplar.draw_chosen(screen["incident"]["exemplar_trace_ids"])
    news.draw_since(screen["incident"])


def _objectives(_: Screen, __: TimeRange) -> None:
    slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
    if slos is not None:
        objectives.draw(slos)


def _runbook(screen: Screen, _: TimeRange) -> None:
    runbook.draw(screen["incident"])
    runs.draw(screen["incident"])


def _notifications(screen: Screen, _: TimeRange) -> None:
    notifications.draw(screen["incident"])


def _response(screen: Screen, _: TimeRange) -> None:
    incident_header.draw_times(screen["incident"], now_ms=sources.now_ms())
    response.draw(screen["incident"])


View = Callable[[Screen, TimeRange], None]
VIEWS: dict[str, View] = {
    "Evidence": _evidence,
    "Charts": _charts,
    "Timeline": _timeline,
    "Traces and logs": _traces,
    "Objectives": _objectives,
    "Runbook": _runbook,
    "Notifications": _notifications,
    "Response": _response,
}
"""By the name on its tab, which is in the address."""

TIMELINE = "Timeline"
CHARTS = "Charts"
