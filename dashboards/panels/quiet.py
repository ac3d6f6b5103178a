"""The war room when nothing is wrong: say so, show the pulse, keep the objectives in sight."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.panels import objectives, pulse
from dashboards.timerange import TimeRange
from dashboards.zone import clock, moment
from tocsin.client.shapes import IncidentSummary


def draw(incidents: Sequence[IncidentSummary], span: TimeRange) -> None:
    """Draw the calm state."""
    with st.container(border=True, key="all-quiet"):
        st.markdown(":green[:material/check_circle:] **All quiet.** No incident is open.")
        st.caption(f"{_last(incidents)} · checked {clock(sources.now_ms())}")
    with states.panel("Pulse"):
        pulse.draw("war_room", span)
    with states.panel("Objectives"):
        slos = states.value_or_notice(sources.slos(), "objectives", key="slos")
        if slos is not None:
            objectives.draw(slos)


def _last(incidents: Sequence[IncidentSummary]) -> str:
    ended = [incident for incident in incidents if incident["resolved_ms"] is not None]
    if not ended:
        return "No incident so far"
    last = max(ended, key=lambda incident: incident["resolved_ms"] or 0)
    return f"Last: {plain(last['title'])}, resolved {moment(last['resolved_ms'])}"
