"""Status page: what the public sees now, what was said, and what could be said next."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.navigation import Page
from dashboards.panels import actions
from dashboards.panels.alerts import public_page
from tocsin.client.errors import MissingError

PAGE = Page(title="Status page", icon=":material/public:", order=6, group="Respond")

_REFRESH = "10s"
_HOW = (
    "There is no status page: put a status.yaml with components into the configuration "
    "directory, and it stands here and at `/status/`."
)


def page() -> None:
    """Draw who acts once, and the rest, which keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        actions.draw_actor()
    actions.tell()
    _live()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading():
        reading = questions.status_page()
    if isinstance(reading.error, MissingError):
        states.empty(_HOW, icon=":material/public_off:")
        return
    found = states.value_or_notice(reading, "status page", key="status-page")
    if found is None:
        return
    if not found["components"]:
        states.empty(_HOW, icon=":material/public_off:")
        return
    with states.panel("Head"):
        public_page.draw_head(found)
    with states.panel("Drafts"):
        public_page.draw_drafts(found)
    with st.container(border=True), states.panel("Components"):
        public_page.draw_components(found)
    with states.panel("Notices"):
        public_page.draw_notices(found)


page()
