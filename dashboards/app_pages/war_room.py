"""War room: one incident, live: five answers first, all else one click behind; calm without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboards import sources, states, timerange
from dashboards.feed import Reading
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import (
    actions,
    incident_picker,
    more_actions,
    quiet,
    range_bar,
    timeline,
)
from dashboards.panels.acting import declaring
from dashboards.panels.acting.intents import last_seq
from dashboards.panels.room import answers, figures, head
from dashboards.panels.room.views import CHARTS, TIMELINE, VIEWS
from dashboards.timerange import AROUND, TimeRange
from dashboards.zone import clock, moment
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.shapes import IncidentSummary

PAGE = Page(
    title="War room", icon=":material/e911_emergency:", order=2, group="Now", other_path="war-room"
)

_FIRST_SCREEN_PX = 560
_STYLE = Path(head.__file__).with_name("room.css")


def page() -> None:
    """Draw the controls once, and in fragments of their own what follows the data."""
    with states.loading(_FIRST_SCREEN_PX):
        incidents = sources.incidents().value or []
    chosen = incident_picker.default(incidents, st.query_params.get(incident_picker.PARAMETER))
    if chosen is None:
        _bar(incidents)
        actions.tell()
        span = range_bar.choose(None)
        st.fragment(_calm, run_every=range_bar.run_every(span))(span, _listed(incidents))
        return
    screen = sources.screen(chosen).value
    open_ones = screen["open"] if screen else []
    st.html(_STYLE)
    with st.container(gap="xsmall", key="first-screen"):
        above = st.container(gap="xsmall")
        # Held against later ones of its kind: two lists that are cut or kept otherwise never agree.
        known = _Drawn(open_ones=_listed(open_ones), seq=_act(screen))
        st.fragment(_first_screen, run_every=range_bar.every_s())(chosen, known, above)
    _bar(_together(incidents, open_ones))
    _views(chosen)


def _bar(incidents: Sequence[IncidentSummary]) -> None:
    """Draw the way to other incidents, below the answers: those are read first."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", key="war-room-bar"):
        incident_picker.choose(incidents, width="stretch")
        declaring.draw()


def _calm(span: TimeRange, known: tuple[str, ...]) -> None:
    """Draw the calm room; the page begins anew when an incident opens."""
    incidents = states.value_or_notice(sources.incidents(), "incidents", key="incidents")
    if incidents is None:
        return
    if _listed(incidents) != known:
        st.rerun()  # the picker above stands outside of the fragment
    quiet.draw(incidents, span)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """What is drawn once, and anew only when it has changed.

    Attributes:
        open_ones: The incidents that the picker offers.
        seq: Number of the newest event that the row of actions knows; None: it is not drawn.
    """

    open_ones: tuple[str, ...]
    seq: int | None


def _act(screen: Screen | None) -> int | None:
    """Draw what a person can do: apart from the figures, which move while people write here."""
    if screen is None:
        return None  # the first screen says why
    incident = screen["incident"]
    caption = f"{plain(incident['id'])} · impact since {moment(screen['since_ms'])}"
    actions.draw(incident, lambda: more_actions.draw(incident, screen["open"]), caption=caption)
    return last_seq(incident)


def _first_screen(chosen: str, known: _Drawn, above: DeltaGenerator) -> None:
    """Draw the five answers; the page begins anew when what stands outside has changed."""
    reading = sources.screen(chosen)
    screen = states.value_or_notice(reading, f"incident {chosen}", key="incident")
    if screen is None:
        return
    now = _Drawn(open_ones=_listed(screen["open"]), seq=last_seq(screen["incident"]))
    if now != known and reading.error is None:
        if incident_picker.PARAMETER not in st.query_params:
            st.query_params[incident_picker.PARAMETER] = chosen  # who watched it end reads on
        st.rerun()
    with states.panel("Incident"):
        _answers(screen, reading, above)


def _answers(screen: Screen, reading: Reading[Screen], above: DeltaGenerator) -> None:
    others = sum(one["id"] != screen["incident"]["id"] for one in screen["open"])
    with above:
        head.draw(screen, now_ms=sources.now_ms(), others=others)
    with st.container(gap="xsmall"):
        figures.draw(screen)
        answers.draw(screen)
        st.caption(f"updated {clock(reading.read_ms)}")


def _views(chosen: str) -> None:
    """Draw the tabs and what is behind the open one."""
    first = TIMELINE if timeline.PARAMETER in st.query_params else next(iter(VIEWS))
    tabs = st.tabs(
        [*VIEWS], default=first, key=answers.VIEW, on_change="rerun", bind="query-params"
    )
    for name, tab in zip(VIEWS, tabs, strict=True):
        if tab.open:
            with tab:
                _view(chosen, name)


def _view(chosen: str, name: str) -> None:
    span = timerange.relative("15 min")
    if name == CHARTS:
        screen = sources.screen(chosen).value
        span = range_bar.choose(screen["incident"] if screen else None, extra=(AROUND,))
    st.fragment(_live, run_every=range_bar.run_every(span))(chosen, name, span)


def _live(chosen: str, name: str, span: TimeRange) -> None:
    reading = sources.screen(chosen)
    if reading.value is None:
        return  # the first screen above says why
    with states.panel(name):
        VIEWS[name](reading.value, span)


def _together(
    listed: Sequence[IncidentSummary], open_ones: Sequence[IncidentSummary]
) -> list[IncidentSummary]:
    """Return a list with those that have been opened since it was read, newest first."""
    known = {one["id"]: one for one in (*listed, *open_ones)}
    return sorted(known.values(), key=lambda one: -one["opened_ms"])


def _listed(incidents: Sequence[IncidentSummary]) -> tuple[str, ...]:
    return tuple(incident_picker.label(incident) for incident in incidents)


page()
