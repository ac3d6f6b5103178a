"""Service map: who calls whom, how it goes as both sides see it, and how it was an hour ago."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.navigation import Page
from dashboards.panels.sessions import calls

PAGE = Page(title="Service map", icon=":material/hub:", order=2.4)

_REFRESH = "10s"
_LAST = {"5 min": 5, "10 min": 10, "1 h": 60}


def page() -> None:
    """Draw the controls once, and the map in a fragment that follows the calls."""
    last = st.radio(
        "Calls of the last",
        list(_LAST),
        index=1,
        horizontal=True,
        key="last",
        bind="query-params",
    )
    st.fragment(_live, run_every=_REFRESH)(_LAST.get(last or "", 10))


def _live(minutes: int) -> None:
    with states.panel("Service map"):
        calls.draw(minutes)


page()
