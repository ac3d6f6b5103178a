"""Draws the wall, again and again."""

from __future__ import annotations

import streamlit as st

from dashboards import sources
from dashboards.feed import Reading
from dashboards.panels import incident_picker
from dashboards.wall.rotating import STYLE, as_html, screen_at
from dashboards.zone import clock
from tocsin.client.shapes import IncidentSummary
from tocsin.client.wording import duration

PARAMETER = "wall"
_TICK_S = 2


def is_wanted() -> bool:
    """Say whether the address asks for the wall."""
    return st.query_params.get(PARAMETER) == "1"


def draw() -> None:
    """Draw the wall in the place of a page."""
    st.html(STYLE)
    st.fragment(_screen, run_every=_TICK_S)()


def _screen() -> None:
    reading = sources.incidents()
    now_ms = sources.now_ms()
    if reading.value is None:
        reason = reading.error.message if reading.error else "no answer yet"
        st.error(f"Not known how things are: {reason}", icon=":material/cloud_off:")
        return
    open_ones = [one for one in reading.value if incident_picker.is_open(one)]
    screen = screen_at(open_ones, sources.slos().value, now_ms)
    st.html(as_html(screen, _age(reading, now_ms)))


def _age(reading: Reading[list[IncidentSummary]], now_ms: int) -> str:
    if reading.error is None:
        return f"as of {clock(reading.read_ms)}"
    age = duration((now_ms - (reading.read_ms or now_ms)) // 1_000)
    return f"DATA {age} OLD: {reading.error.message}"
