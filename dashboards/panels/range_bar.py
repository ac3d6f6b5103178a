"""The row that says which time is shown and whether it moves."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import timerange
from dashboards.panels.pulse import PIN
from dashboards.timerange import TimeRange
from tocsin.client import Incident

LIVE_EVERY_S = 5


def choose(incident: Incident | None, *, extra: Sequence[str] = ()) -> TimeRange:
    """Draw the controls and return the range: a pin beats the buttons."""
    pin = timerange.parse_pin(st.query_params.get(PIN))
    names = [*extra, *timerange.RELATIVE]
    with st.container(horizontal=True, vertical_alignment="center", key="range-bar"):
        name = st.segmented_control(
            "Range",
            names,
            default=names[0] if extra else "15 min",
            key="range",
            bind="query-params",
            label_visibility="collapsed",
            disabled=pin is not None,
        )
        span = pin or _span(name, incident)
        if span.live:
            st.badge(f"Live · every {LIVE_EVERY_S} s", icon=":material/sensors:", color="green")
        elif pin is None:
            st.badge(f"Over · {span.words}", icon=":material/event_available:", color="gray")
        else:
            st.badge(f"Paused · {span.words}", icon=":material/pause:", color="orange")
            st.button(
                "Resume live",
                key="resume",
                icon=":material/play_arrow:",
                shortcut="L",
                on_click=_resume,
            )
        st.caption("Times in UTC · drag over a chart with the brush to pin a stretch")
    return span


def run_every(span: TimeRange) -> int | None:
    """Return the period of a live fragment in seconds, None when nothing moves."""
    return LIVE_EVERY_S if span.live else None


def _span(name: str | None, incident: Incident | None) -> TimeRange:
    if incident is not None and (name == timerange.AROUND or name is None):
        return timerange.around(incident)
    return timerange.relative(name or "15 min")


def _resume() -> None:
    st.query_params.pop(PIN, None)
