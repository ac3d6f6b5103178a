"""The row that says which time is shown and whether it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboards import sources, timerange
from dashboards.timerange import TimeRange
from tocsin.client.shapes import Incident

PIN = "pin"
LIVE_EVERY_S = 5
_USUAL = "15 min"
_PINS = "pins"
_BRUSH: dict[str, Any] = {
    "brush": {"xAxisIndex": "all", "brushMode": "single", "outOfBrush": {}},
    "toolbox": {
        "right": 8,
        "top": 0,
        "itemSize": 13,
        "feature": {"brush": {"type": ["lineX", "clear"]}},
    },
}


def choose(incident: Incident | None, *, extra: Sequence[str] = ()) -> TimeRange:
    """Draw the controls and return the range: a pin beats the buttons."""
    pin = timerange.parse_pin(st.query_params.get(PIN))
    names = [*extra, *timerange.RELATIVE]
    with st.container(
        horizontal=True, vertical_alignment="center", width="content", key="range-bar"
    ):
        # Not a segmented control: its chosen text has the colour that buttons need dark, so that
        # one of the two can't be read on dark ground.
        name = st.radio(
            "Range",
            names,
            index=0 if extra else names.index(_USUAL),
            horizontal=True,
            key="range",
            bind="query-params",
            label_visibility="collapsed",
            disabled=pin is not None,
        )
        span = pin or _span(name, incident)
        _mode(span)
    return span


def _mode(span: TimeRange) -> None:
    if span.paused:
        st.badge(f"Paused · {span.words}", icon=":material/pause:", color="orange")
        st.button(
            "Resume live",
            key="resume",
            icon=":material/play_arrow:",
            shortcut="L",
            on_click=_resume,
        )
        return
    if span.live:
        words = f"Live · every {LIVE_EVERY_S} s · UTC"
        st.badge(words, icon=":material/sensors:", color="green")
    else:
        st.badge(f"Over · {span.words}", icon=":material/event_available:", color="gray")
    st.button(
        "Pause",
        key="pause",
        type="tertiary",
        icon=":material/pause:",
        shortcut="P",
        help="Stand still; then drag over a chart with its brush to look closer",
        on_click=lambda: _stand_still(timerange.pin_of(span, sources.now_ms())),
    )


def run_every(span: TimeRange) -> int | None:
    """Return the period of a live fragment in seconds, None when the reader paused it.

    An incident that is over still gets notes and a post-mortem: its page goes on ticking.
    """
    return None if span.paused else LIVE_EVERY_S


def brushable(spec: dict[str, Any], span: TimeRange, *, height: int, key: str, alt: str) -> None:
    """Draw an ECharts option; a stretch that is brushed is pinned in the address.

    A live tick resets zoom and brush: pausing is what makes a look back stay put.
    """
    # A new identity after each pin: the old frame must not lie over what it chose.
    pins = st.session_state.get(_PINS, 0)
    with st.container(key=key):
        chosen = st.echarts_chart(
            {**spec, **_BRUSH}, height=height, key=f"{key}-{pins}", on_select="rerun", alt=alt
        )
    _pin(chosen, span)


def _pin(chosen: Any, span: TimeRange) -> None:
    areas = chosen["selection"]["areas"] if chosen else []
    if not areas or "coord_range" not in areas[0]:
        return
    start_ms, end_ms = (int(edge) for edge in areas[0]["coord_range"])
    pin = f"{start_ms}-{end_ms}"
    if timerange.parse_pin(pin) is None or span.span_ms == (start_ms, end_ms):
        return
    _stand_still(pin)
    st.rerun()


def _stand_still(pin: str) -> None:
    st.session_state[_PINS] = st.session_state.get(_PINS, 0) + 1
    st.query_params[PIN] = pin


def _span(name: str | None, incident: Incident | None) -> TimeRange:
    if incident is not None and (name == timerange.AROUND or name is None):
        return timerange.around(incident)
    return timerange.relative(name or _USUAL)


def _resume() -> None:
    st.query_params.pop(PIN, None)
