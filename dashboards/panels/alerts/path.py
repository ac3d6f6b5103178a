"""The way of a notification, stage by stage: who is told, and where it ended."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.zone import clock


def draw(name: str) -> None:
    """Draw one line a stage of what was sent, and of what was not, of an incident or a finding."""
    found = states.value_or_notice(sources.why(name), "why", key="why")
    for step in found["path"] if found else ():
        badge = f":{'orange' if step['stops'] else 'gray'}-badge[{plain(step['stage'])}]"
        when = f" · {clock(step['time_ms'])}" if step["time_ms"] is not None else ""
        st.markdown(f"{badge} {plain(step['text'])}{when}")
