"""What a person who joins reads first: how bad, what, since when, who has it."""

from __future__ import annotations

import streamlit as st

from dashboards.charts import palette
from dashboards.markdown import plain
from dashboards.zone import clock, moment
from tocsin.client.shapes import Incident
from tocsin.client.wording import between, duration


def draw(incident: Incident, *, updated_ms: int | None) -> None:
    """Draw severity, status, title and summary."""
    with st.container(horizontal=True, vertical_alignment="center", key="incident-badges"):
        st.badge(incident["severity"], color=palette.severity(incident["severity"]))
        st.badge(incident["status"], color=palette.status(incident["status"]))
        st.subheader(plain(incident["title"]), anchor=False, width="content")
        st.caption(f"{plain(incident['id'])} · updated {clock(updated_ms)}", width="content")
    if incident["summary"]:
        st.markdown(plain(incident["summary"]))
    if incident["on_call"] and not incident["resolved_ms"]:
        st.caption(plain(incident["on_call"]))


def elapsed_s(incident: Incident, *, now_ms: int) -> float:
    """Return how long the incident has lasted, or lasted, from the start of impact, in seconds."""
    began_ms = incident["impact_start_ms"] or incident["opened_ms"]
    return ((incident["resolved_ms"] or now_ms) - began_ms) / 1000


def draw_times(incident: Incident, *, now_ms: int) -> None:
    """Draw the times by which the response is measured afterwards."""
    impact_ms = incident["impact_start_ms"]
    acknowledged = incident["acknowledged_ms"]
    who = incident["acknowledged_by"]
    with st.grid(5, gap="small"):
        st.metric(
            "Lasted" if incident["resolved_ms"] else "Elapsed",
            duration(elapsed_s(incident, now_ms=now_ms)),
            border=True,
            help="Since impact began; opened " + moment(incident["opened_ms"]),
        )
        st.metric(
            "Impact → detected",
            between(impact_ms, incident["detected_ms"]),
            border=True,
            help=f"Impact began about {moment(impact_ms)} (estimated from the signal)",
        )
        st.metric(
            "Detected → paged", between(incident["detected_ms"], incident["paged_ms"]), border=True
        )
        st.metric(
            "Paged → acknowledged",
            between(incident["paged_ms"], acknowledged) if acknowledged else "not yet",
            border=True,
            help=f"Acknowledged {moment(acknowledged)}" if acknowledged else None,
        )
        st.metric(
            "Who has it",
            who or incident["commander"] or "nobody yet",
            border=True,
            help="Who acknowledged; otherwise the commander",
        )
