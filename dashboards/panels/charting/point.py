"""The point of a chart that was clicked: what it is, and the way to its traces, spans and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from dashboards import timerange, zone
from dashboards.charts.linked import Point
from dashboards.charts.timeseries import Row, line_of
from dashboards.markdown import plain
from dashboards.telemetry.instruments import SERVICE_KEYS
from dashboards.telemetry.panel import Panel
from tocsin.client.wording import quantity

AROUND_MS = 60_000
"""How far on both sides of a point its traces and logs are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a reader wants to look closer.

    Attributes:
        time_ms: Epoch milliseconds.
        words: What was clicked.
        service: Whose line it is, empty if its tags name none.
        panel: Its chart.
    """

    time_ms: int
    words: str
    service: str
    panel: Panel


def draw(clicked: Point | None, rows: Sequence[tuple[Panel, Row]], *, key: str) -> None:
    """Draw the ways on from the point that was clicked last in this stack."""
    kept = f"point-{key}"
    if clicked is not None:
        st.session_state[kept] = clicked
    last = st.session_state.get(kept)
    place = place_of(last, rows) if isinstance(last, Point) else None
    if place is None:
        return
    address = link(place)
    with st.container(horizontal=True, vertical_alignment="center", key=f"at-{key}"):
        st.markdown(f"**{timerange.at(place.time_ms, zone.shown())}** · {plain(place.words)}")
        st.page_link(
            "app_pages/traces.py",
            label="Traces then",
            icon=":material/account_tree:",
            query_params=address,
        )
        st.page_link(
            "app_pages/logs.py",
            label="Logs then",
            icon=":material/article:",
            query_params=address,
        )
        st.page_link(
            "app_pages/explore.py",
            label="Explore",
            icon=":material/query_stats:",
            query_params={"q": place.panel.expression},
        )
        st.button(
            "Let go",
            key=f"close-{key}",
            type="tertiary",
            icon=":material/close:",
            on_click=_forget,
            args=(kept,),
        )


def place_of(point: Point, rows: Sequence[tuple[Panel, Row]]) -> Place | None:
    """Return what was clicked, None if that chart is not drawn any more."""
    if not 0 <= point.row < len(rows):
        return None
    panel, row = rows[point.row]
    line = line_of(point.line)
    if line is None or line[1] >= len(row.names):
        service = service_of({}, panel.expression)
        return Place(time_ms=point.time_ms, words=panel.title, service=service, panel=panel)
    at = int(np.argmin(np.abs(row.times_ms - point.time_ms)))
    value = quantity(float(row.values[line[1], at]), row.unit)
    tags = row.tags[line[1]] if line[1] < len(row.tags) else {}
    return Place(
        time_ms=point.time_ms,
        words=f"{panel.title}: {row.names[line[1]]} {value}",
        service=service_of(tags, panel.expression),
        panel=panel,
    )


def service_of(tags: Mapping[str, str], expression: str) -> str:
    """Return the service that a line is of: by its tags, else by what its expression asks for.

    >>> service_of({"service.name": "till"}, ""), service_of({}, "name,a,:eq,job,till,:eq,:and")
    ('till', 'till')
    """
    for key in SERVICE_KEYS:
        if tags.get(key):
            return tags[key]
    words = [word.strip() for word in expression.split(",")]
    for at, word in enumerate(words[:-2]):
        if word in SERVICE_KEYS and words[at + 2] == ":eq":
            return words[at + 1]
    return ""


def link(place: Place) -> dict[str, str]:
    """Return the address of a page about a place: its service, and a minute on both sides."""
    pin = timerange.as_pin(place.time_ms - AROUND_MS, place.time_ms + AROUND_MS)
    return {"pin": pin} | ({"service": place.service} if place.service else {})


def _forget(kept: str) -> None:
    st.session_state.pop(kept, None)
