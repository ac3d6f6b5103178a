"""Silences: what rings nobody for a while, why, and what a new one would hide."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.navigation import Page
from dashboards.panels import actions, silencing

PAGE = Page(title="Silences", icon=":material/notifications_off:", order=4, group="Respond")

_REFRESH = "5s"


def page() -> None:
    """Draw the form, which keeps what is typed, and the list, which keeps itself up to date."""
    with st.container(horizontal=True, vertical_alignment="center"):
        actions.draw_actor()
    silencing.draw_form()
    actions.tell()
    _live()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading(height=200):
        reading = sources.silences()
    found = states.value_or_notice(reading, "silences", key="silences")
    if found is None:
        return
    over = [one for one in found if one["status"]["state"] == "expired"]
    with states.panel("Silences"):
        silencing.draw_kept([one for one in found if one not in over], over)


page()
