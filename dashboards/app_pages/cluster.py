"""The cluster: which nodes there are, who leads, and who keeps what comes in."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.navigation import Page
from dashboards.panels.machine import nodes

PAGE = Page(title="Cluster", icon=":material/hub:", order=5, group="Operate")

_REFRESH = "5s"


def page() -> None:
    """Draw what keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    _live()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading():
        reading = questions.cluster()
    found = states.value_or_notice(reading, "cluster", key="cluster")
    if found is None:
        return
    if found["shape"] == "one":
        states.empty("One process: it leads, and nobody else keeps a copy.")
        return
    with states.panel("Figures"):
        nodes.draw_figures(found)
    with states.panel("What is wrong"):
        nodes.draw_wrong(found)
    with states.panel("Nodes"):
        nodes.draw_nodes(found)


page()
