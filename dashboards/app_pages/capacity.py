"""Capacity: how near each bound is and when it is reached, what comes in, what rules cost."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.navigation import Page
from dashboards.panels import chart_stack, range_bar
from dashboards.panels.machine import bounds, costs
from dashboards.telemetry.panel import Panel
from dashboards.timerange import TimeRange

PAGE = Page(title="Capacity", icon=":material/speed:", order=3, group="Operate")

_ACCEPTED = Panel(
    title="Accepted by receiver",
    expression="name,tocsin.receiver.accepted,:eq,:sum,(,receiver,),:by",
    unit="1/s",
    legend="receiver",
    stacked=True,
)
_REFUSED = Panel(
    title="Refused by reason",
    expression="name,tocsin.receiver.refused,:eq,:sum,(,reason,),:by",
    unit="1/s",
    legend="reason",
    stacked=True,
)


def page() -> None:
    """Draw the range once and the rest in a live fragment."""
    st.header(PAGE.title, anchor=False)
    span = range_bar.choose(None)
    st.fragment(_live, run_every=range_bar.run_every(span))(span)


def _live(span: TimeRange) -> None:
    with states.loading():
        reading = questions.capacity()
    found = states.value_or_notice(reading, "capacity", key="capacity")
    if found is None:
        return
    with states.panel("Figures"):
        bounds.draw_figures(found)
    with st.container(border=True), states.panel("Bounds"):
        bounds.draw(found)
    with st.container(border=True), states.panel("What comes in"):
        st.markdown("**What comes in**")
        chart_stack.draw([_ACCEPTED, _REFUSED], span, key="accepted")
        st.page_link("app_pages/senders.py", label="Who sends it", icon=":material/sensors:")
    with states.panel("Rules"):
        costs.draw_rules(found)
    with states.panel("Disk"):
        costs.draw_disk(found)


page()
