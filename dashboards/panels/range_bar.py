"""The row that says which time is shown and whether it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards import timerange
from dashboards.timerange import TimeRange
from tocsin.client import Incident

PIN = "pin"
LIVE_EVERY_S = 5


def choose(incident: Incident | None, *, extra: Sequence[str] = ()) -> TimeRange:
    """Draw the controls and return the range: a pin beats the buttons."""
    pin = timerange.parse_pin(st.query_params.get(PIN))
    names = [*extra, *timerange.RELATIVE]
    with st.container(
        horizontal=True, vertical_alignment="center", width="content", key="range-bar"
    ):
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
            st.badge(
                f"Live · every {LIVE_EVERY_S} s · UTC",
                icon=":material/sensors:",
                color="green",
                help="Drag over a chart with its brush to pause and pin a stretch of time",
            )
        elif not span.paused:
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
    return span


def run_every(span: TimeRange) -> int | None:
    """Return the period of a live fragment in seconds, None when the reader paused it.

    An incident that is over still gets notes and a post-mortem: its page goes on ticking.
    """
    return None if span.paused else LIVE_EVERY_S


def pin_brushed(chosen: Any, *, key: str) -> None:
    """Put a brushed stretch into the address and rebuild the page without live mode.

    A live tick would reset the zoom anyway: pinning is what makes a look back stay put.
    """
    areas = chosen["selection"]["areas"] if chosen else []
    if not areas or "coord_range" not in areas[0]:
        return
    start_ms, end_ms = (int(edge) for edge in areas[0]["coord_range"])
    pin = f"{start_ms}-{end_ms}"
    # The selection outlives the rerun: only a new one may pin, or resuming would be undone.
    if end_ms - start_ms < 2_000 or st.session_state.get(f"pinned-by-{key}") == pin:
        return
    st.session_state[f"pinned-by-{key}"] = pin
    st.query_params[PIN] = pin
    st.rerun()


def _span(name: str | None, incident: Incident | None) -> TimeRange:
    if incident is not None and (name == timerange.AROUND or name is None):
        return timerange.around(incident)
    return timerange.relative(name or "15 min")


def _resume() -> None:
    st.query_params.pop(PIN, None)
