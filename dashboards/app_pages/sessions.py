"""Sessions: all traces that share an attribute, told as one story, and where sessions stop."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.navigation import Page
from dashboards.panels.sessions import funnel, story

PAGE = Page(title="Sessions", icon=":material/person_search:", order=5)

_KEY = "session.id"


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
        failed = st.toggle("Only with failures", key="failed", bind="query-params")
    by = by or _KEY
    if value:
        with st.container(border=True), states.panel("Session"):
            story.draw(value, by)
        return
    with st.container(border=True), states.panel("Sessions"):
        st.markdown("**Sessions**")
        story.choose(by, failed)
    with st.container(border=True), states.panel("Funnel"):
        st.markdown("**Where sessions stop**")
        funnel.draw(by)


page()
