"""How bad, where the work stands, what it is, for how long; then what it is in one sentence."""

from __future__ import annotations

import streamlit as st

from dashboards.charts import palette
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.panels import incident_header
from dashboards.zone import moment
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.wording import duration

COURSES: dict[str, BadgeColor] = {
    "getting worse": "red",
    "steady": "orange",
    "getting better": "green",
}


def draw(screen: Screen, *, now_ms: int, others: int) -> None:
    """Draw the head of an incident's page; ``others`` are open besides."""
    incident = screen["incident"]
    with st.container(horizontal=True, vertical_alignment="center", key="incident-badges"):
        st.badge(incident["severity"], color=palette.severity(incident["severity"]))
        st.badge(incident["status"], color=palette.status(incident["status"]))
        began = f"impact since {moment(screen['since_ms'])}"
        st.badge(lasted(screen, now_ms), icon=":material/timer:", color="gray", help=began)
        course = screen["trend"]["course"]
        if screen["until_ms"] is None:
            words = course if course in COURSES else f"trend {course}"
            color = COURSES.get(course, "gray")
            st.badge(words, color=color, help=plain(screen["trend"]["why"]))
        if others:
            st.badge(f"{others} more open", icon=":material/warning:", color="orange")
    st.subheader(plain(incident["title"]), anchor=False)
    st.markdown(plain(screen["sentence"]))


def lasted(screen: Screen, now_ms: int) -> str:
    """Return how long it has lasted, or lasted."""
    incident = screen["incident"]
    length = duration(round(incident_header.elapsed_s(incident, now_ms=now_ms)))
    return f"lasted {length}" if incident["resolved_ms"] else length
