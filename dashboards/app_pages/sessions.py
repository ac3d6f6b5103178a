"""Sessions: all traces that share an attribute, told as one story, and where sessions stop."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.navigation import Page
from dashboards.panels.sessions import funnel, story

PAGE = Page(title="Sessions", icon=":material/person_search:", order=5)

_KEY = "session.id"
_BACK = {"memory reaches": 0, "6 h": 6, "24 h": 24, "7 days": 168}


def page() -> None:
    """Draw the attribute, then one session, the list of them, or a funnel."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="session-search"):
        by = st.text_input(
            "Told apart by",
            value=_KEY,
            key="by",
            bind="query-params",
            max_chars=200,
            width=220,
        )
        value = st.text_input(
            "Session", key=story.SESSION, bind="query-params", max_chars=500, width=320
        )
        back = st.selectbox(
            "As far back as", list(_BACK), key="back", bind="query-params", width=180
        )
        failed = st.toggle("Only with failures", key="failed", bind="query-params")
    by, hours = by or _KEY, _BACK.get(back, 0)
    if value:
        with st.container(border=True), states.panel("Session"):
            story.draw(value, by)
        return
    with st.container(border=True), states.panel("Sessions"):
        st.markdown("**Sessions**")
        story.choose(by, failed, hours)
    with st.container(border=True), states.panel("Funnel"):
        st.markdown("**Where sessions stop**")
        funnel.draw(by, hours)


page()
