"""tocsin itself: whether it is well, how late it judges, what it refuses, what it was set to."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, sources, states
from dashboards.navigation import Page
from dashboards.panels import judging
from dashboards.panels.machine import own_findings, self_health, settings

PAGE = Page(title="tocsin itself", icon=":material/health_and_safety:", order=4, group="Operate")

_REFRESH = "5s"


def page() -> None:
    """Draw health, which keeps itself up to date, and the settings, which stand still."""
    st.header(PAGE.title, anchor=False)
    _live()
    with states.panel("Settings"):
        settings.draw()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading():
        reading = sources.health()
    health = states.value_or_notice(reading, "health", key="health")
    if health is None:
        return
    with states.panel("Health"):
        self_health.draw_head(health)
        judging.draw_faults(health)
    with states.panel("What fails"):
        self_health.draw_wrong(health)
    with states.panel("Findings about tocsin"):
        found = states.value_or_notice(questions.findings(), "findings", key="own-findings")
        if found is not None:
            own_findings.draw(found)
    left, right = st.columns(2, gap="small")
    with left, states.panel("Receivers"):
        self_health.draw_receivers(health)
    with right, states.panel("The rest"):
        self_health.draw_rest(health)


page()
