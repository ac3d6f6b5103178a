"""Alerts: what fires and who was told; what stayed silent, and why; what is near its threshold."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, sources, states
from dashboards.navigation import Page
from dashboards.panels.alerts import below, firing, path, silent

PAGE = Page(title="Alerts", icon=":material/notifications:", order=2, group="Respond")

_REFRESH = "5s"
_MAX_SEARCH = 200
_FIRING, _SILENT, _BELOW = "firing", "stayed silent", "below the threshold"


def page() -> None:
    """Draw what is chosen to be seen, and the one alert whose path was asked for."""
    st.header(PAGE.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="alert-filters"):
        view = st.radio(
            "What",
            [_FIRING, _SILENT, _BELOW],
            horizontal=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
        words = st.text_input(
            "Search",
            key="search",
            bind="query-params",
            max_chars=_MAX_SEARCH,
            placeholder="title, rule, place",
            label_visibility="collapsed",
            width=260,
        )
    _live(str(view), str(words or ""))


@st.fragment(run_every=_REFRESH)
def _live(view: str, words: str) -> None:
    if name := st.query_params.get(firing.PARAMETER):
        with st.container(border=True, key="why"), states.panel("Why"):
            _why(name)
    draw = {_SILENT: _silent, _BELOW: _below}.get(view, _firing)
    draw(words)


def _why(name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Why somebody is told, or not**", width="stretch")
        st.button("Close", key="why-close", icon=":material/close:", on_click=firing.close)
    st.code(name, language=None, wrap_lines=True)
    path.draw(name)


def _firing(words: str) -> None:
    with states.loading():
        reading = questions.alerts()
    found = states.value_or_notice(reading, "alerts", key="alerts")
    if found is not None:
        with states.panel("Firing"):
            firing.draw(found, words)


def _silent(words: str) -> None:
    with states.loading():
        reading = questions.decisions()
    found = states.value_or_notice(reading, "decisions", key="decisions")
    if found is not None:
        with states.panel("Stayed silent"):
            silent.draw(found, words)


def _below(words: str) -> None:
    with states.loading():
        watched, objectives = sources.detectors(), sources.slos()
    series = states.value_or_notice(watched, "detectors", key="detectors")
    slos = states.value_or_notice(objectives, "objectives", key="slos")
    with states.panel("Below the threshold"):
        below.draw(series, slos, words)


page()
