"""How bad it is in figures: the value beside what it should be, and what people have lost."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from dashboards.panels.room.head import COURSES
from tocsin.client.response.screen_shapes import ImpactFigure, Kpi, Screen

_MAX_KPIS = 2
_MAX_LOSSES = 2
_CARD_PX = 160
_CARD_HEIGHT = 148


def draw(screen: Screen) -> None:
    """Draw the figures that lead; the others stand with the evidence."""
    kpis, losses = screen["kpis"][:_MAX_KPIS], screen["impact"][:_MAX_LOSSES]
    if not kpis and not losses:
        states.empty("Nothing is measured of this incident.", icon=":material/straighten:")
        return
    cards = len(kpis) + len(losses)
    with st.grid(cards, min_column_width=_CARD_PX, gap="small", key="room-figures"):
        for kpi in kpis:
            _kpi(kpi)
        for figure in losses:
            _loss(figure)
    if screen["impact_note"]:
        st.caption(plain(screen["impact_note"]).capitalize() + ".")


def line(kpi: Kpi) -> list[float | None]:
    """Return the points of a figure's line; none if there are fewer than two."""
    known = [point for point in kpi["points"] if point is not None]
    return kpi["points"] if len(known) > 1 else []


def described(kpi: Kpi) -> str:
    """Return what a figure says besides its value."""
    parts = [kpi["worst"], kpi["usual"], kpi["note"], kpi["trend"]["why"]]
    return "; ".join(part for part in parts if part)


def _kpi(kpi: Kpi) -> None:
    course = kpi["trend"]["course"]
    st.metric(
        plain(kpi["title"]),
        kpi["now"],
        delta=kpi["usual"] or course,
        delta_color=COURSES.get(course, "gray") if kpi["usual"] else "gray",
        delta_arrow="off",
        border=True,
        height=_CARD_HEIGHT,
        help=plain(described(kpi)),
        chart_data=line(kpi) or None,
        chart_type="area",
    )


def _loss(figure: ImpactFigure) -> None:
    st.metric(
        plain(figure["title"]),
        figure["text"],
        border=True,
        height=_CARD_HEIGHT,
        help=plain(figure["note"]),
    )
