"""The row that says which time is shown and whether it moves: one range for all pages."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import streamlit as st

from dashboards import sources, timerange, zone
from dashboards.asking import runs
from dashboards.panels.charting import layers
from dashboards.timerange import TimeRange
from tocsin.client.shapes import Incident

PIN = "pin"
RANGE = "range"
LIVE_EVERY_S = 5
_SPREAD, _SPREAD_S = 16, 0.35
_TRAIL, _KEPT, _PAGE = "range-trail", "range-kept", "range-page"
_MAX_TRAIL = 20
_WRONG = "range-wrong"
_FROM, _TO, _SHOW = "range-from", "range-to", "custom-show"
_HOW = "For example `now-2h`, `10:42`, `2026-12-01 10:42`, or ISO 8601 with an offset."


def choose(incident: Incident | None, *, extra: Sequence[str] = ()) -> TimeRange:
    """Draw the controls and return the range: a pin beats the choice."""
    pin = pinned()
    names = [*extra, *timerange.RELATIVE]
    if st.session_state.get(RANGE) not in names:
        st.session_state.pop(RANGE, None)
    with st.container(
        horizontal=True, vertical_alignment="center", width="content", key="range-bar"
    ):
        name = st.selectbox(
            "Range",
            names,
            index=0 if extra else names.index(timerange.USUAL),
            key=RANGE,
            bind="query-params",
            label_visibility="collapsed",
            width=112,
            on_change=_resume,
        )
        span = pin or _span(name, incident)
        _custom(span)
        layers.choose(span)
        _walk(span, str(name))
        _mode(span)
    _remember(str(name))
    return span


def carry(page: str) -> None:
    """Take range and clock along to another page, unless its address says its own.

    Args:
        page: The one that is about to be drawn.
    """
    before = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    kept = st.session_state.get(_KEPT, {})
    if before in (None, page) or not kept:
        return
    if kept.get(zone.ZONE) and zone.ZONE not in st.query_params:
        st.query_params[zone.ZONE] = kept[zone.ZONE]
    if PIN in st.query_params or RANGE in st.query_params:
        return
    st.session_state[RANGE] = kept[RANGE]
    if kept.get(PIN):
        st.query_params[PIN] = kept[PIN]


def pinned() -> TimeRange | None:
    """Return the range that the address pins, None if it pins none."""
    return timerange.parse_pin(st.query_params.get(PIN), zone.shown())


def within() -> dict[str, int]:
    """Draw what the address pins on a page of searches, and return its ends as criteria.

    Returns:
        ``start_ms`` and ``end_ms``; nothing when no stretch is pinned.
    """
    pin = pinned()
    if pin is None or pin.span_ms is None:
        return {}
    with st.container(horizontal=True, vertical_alignment="center", key="pinned"):
        st.badge(pin.words, icon=":material/date_range:", color="orange")
        st.button("Any time", key="unpin", icon=":material/close:", on_click=_resume)
    return {"start_ms": pin.span_ms[0], "end_ms": pin.span_ms[1]}


def pin_to(start_ms: int, end_ms: int, span: TimeRange) -> None:
    """Stand still at a stretch that was dragged over; what makes no sense changes nothing."""
    pin = timerange.as_pin(start_ms, end_ms)
    if timerange.parse_pin(pin) is None or span.span_ms == (start_ms, end_ms):
        return
    st.query_params[PIN] = pin
    st.rerun()


def zoom_out(span: TimeRange) -> None:
    """Show twice as much, as a double click on a chart asks for."""
    _wider(span, str(st.session_state.get(RANGE, "")))
    st.rerun()


def every_s() -> float:
    """Return the period of live parts in this tab, seconds.

    Tabs differ by up to a third of a second: those that a server's start has brought together, or
    a meeting, would else ask and be drawn in the same moment for ever.
    """
    page = runs.watched()
    share = crc32(page.viewer.encode()) % _SPREAD if page is not None else 0
    return LIVE_EVERY_S + share * _SPREAD_S / _SPREAD


def run_every(span: TimeRange) -> float | None:
    """Return the period of a live fragment in seconds, None when the reader paused it.

    An incident that is over still gets notes and a post-mortem: its page goes on ticking.
    """
    return None if span.paused else every_s()


def _custom(span: TimeRange) -> None:
    with st.popover("Time", icon=":material/date_range:", help="From and to, and whose clock"):
        clock = zone.shown()
        start_ms, end_ms = span.ends_ms(sources.now_ms())
        if not st.session_state.get(_SHOW):  # what somebody is about to ask for stays
            for key, ms in ((_FROM, start_ms), (_TO, end_ms)):
                st.session_state[key] = timerange.at(ms, clock)[:19]
        with st.form("custom-range", border=False):
            first = st.text_input("From", key=_FROM, max_chars=40)
            last = st.text_input("To", key=_TO, max_chars=40, help=_HOW)
            if st.form_submit_button("Show", key=_SHOW, type="primary"):
                _take(first, last, span)
        if wrong := st.session_state.pop(_WRONG, ""):
            st.error(wrong)
        name = "UTC" if zone.is_utc() else f"local time ({timerange.at(end_ms, clock)[20:]})"
        st.caption(f"Times are in {name}.")
        other = "Show local time" if zone.is_utc() else "Show UTC"
        st.button(other, key="zone", icon=":material/schedule:", on_click=zone.toggle)


def _take(first: str, last: str, span: TimeRange) -> None:
    now_ms, clock = sources.now_ms(), zone.shown()
    moments = [timerange.moment_of(text or "", now_ms, clock) for text in (first, last)]
    start_ms, end_ms = moments
    if start_ms is None or end_ms is None:
        wrong = first if start_ms is None else last
        st.session_state[_WRONG] = f"`{wrong[:40]}` is no time. {_HOW}"
    elif timerange.parse_pin(timerange.as_pin(start_ms, end_ms)) is None:
        st.session_state[_WRONG] = "The end must be after the start, by at most 400 days."
    else:
        pin_to(start_ms, end_ms, span)


def _walk(span: TimeRange, name: str) -> None:
    trail = st.session_state.get(_TRAIL, [])
    st.button(
        "Back",
        key="range-back",
        type="tertiary",
        icon=":material/undo:",
        help="Back to the range before",
        disabled=len(trail) < 2 and (not trail or trail[-1] == _now(name)),
        on_click=_back,
    )
    st.button(
        "Zoom out",
        key="range-out",
        type="tertiary",
        icon=":material/zoom_out:",
        help="Twice as much time; a double click on a chart does it, too",
        on_click=_wider,
        args=(span, name),
    )


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
        words = f"Live · every {LIVE_EVERY_S} s · {'UTC' if zone.is_utc() else 'local time'}"
        st.badge(words, icon=":material/sensors:", color="green")
    else:
        st.badge(f"Over · {span.words}", icon=":material/event_available:", color="gray")
    st.button(
        "Pause",
        key="pause",
        type="tertiary",
        icon=":material/pause:",
        shortcut="P",
        help="Stand still. Dragging over a chart looks closer at a stretch of it",
        on_click=lambda: _stand_still(timerange.pin_of(span, sources.now_ms())),
    )


def _span(name: str | None, incident: Incident | None) -> TimeRange:
    if incident is not None and (name == timerange.AROUND or name is None):
        return timerange.around(incident, zone.shown())
    return timerange.relative(name or timerange.USUAL)


def _wider(span: TimeRange, name: str) -> None:
    longer = None if span.paused else timerange.next_relative(name)
    if longer is not None and _selectable(longer):
        return
    _stand_still(timerange.wider(span, sources.now_ms()))


def _selectable(name: str) -> bool:
    """Choose a relative range; False where that is too late, as the choice has been drawn."""
    try:
        st.session_state[RANGE] = name
    except st.errors.StreamlitAPIException:
        return False
    return True


def _back() -> None:
    trail = st.session_state.get(_TRAIL, [])
    if len(trail) < 2:
        return
    trail.pop()
    name, pin = trail[-1]
    st.session_state[RANGE] = name
    if pin:
        st.query_params[PIN] = pin
    else:
        _resume()


def _now(name: str) -> tuple[str, str]:
    return name, st.query_params.get(PIN, "")


def _remember(name: str) -> None:
    """Keep the way back, and what to take along to other pages."""
    trail = st.session_state.setdefault(_TRAIL, [])
    now = _now(name)
    if not trail or trail[-1] != now:
        trail.append(now)
        del trail[:-_MAX_TRAIL]
    st.session_state[_KEPT] = {
        RANGE: name,
        PIN: now[1],
        zone.ZONE: st.query_params.get(zone.ZONE, ""),
    }


def _stand_still(pin: str) -> None:
    st.query_params[PIN] = pin


def _resume() -> None:
    st.query_params.pop(PIN, None)
