"""How bad it is in figures: the value beside what it should be, and what people have lost."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.charts import palette, sparkline
from dashboards.markdown import plain
from dashboards.panels.room.head import COURSES
from tocsin.client.response.screen_shapes import ImpactFigure, Kpi, Screen

_MAX_KPIS = 2
_MAX_LOSSES = 2
_CARD_PX = 160
_CARD_HEIGHT = 164
_LINES = {
    "getting worse": palette.TROUBLE,
    "steady": palette.CAUTION,
    "getting better": palette.CALM,
}


def draw(screen: Screen) -> None:
    """Draw the figures that lead; the others stand with the evidence."""
    kpis, losses = screen["kpis"][:_MAX_KPIS], screen["impact"][:_MAX_LOSSES]
    if not kpis and not losses:
        states.empty("Nothing is measured of this incident.", icon=":material/straighten:")
        return
    cards = len(kpis) + len(losses)
    with st.grid(cards, min_column_width=_CARD_PX, gap="small", key="room-figures"):
        for kpi in kpis:
            _kpi(kpi, screen["since_ms"])
        for figure in losses:
            _loss(figure)
    if screen["impact_note"]:
        st.caption(plain(screen["impact_note"]).capitalize() + ".")


def described(kpi: Kpi) -> str:
    """Return what a figure says besides its value."""
    parts = [kpi["worst"], kpi["usual"], kpi["note"], kpi["trend"]["why"]]
    return "; ".join(part for part in parts if part)


def _kpi(kpi: Kpi, since_ms: int) -> None:
    course = kpi["trend"]["course"]
    with st.container(border=True, height=_CARD_HEIGHT, gap=None):
        st.metric(
            plain(kpi["title"]),
            kpi["now"],
            delta=kpi["usual"] or course,
            delta_color=COURSES.get(course, "gray") if kpi["usual"] else "gray",
            delta_arrow="off",
            help=plain(described(kpi)),
        )
        if line := _line(kpi, since_ms):
            told = f"Course of {kpi['title']}: now {kpi['now']}; {described(kpi)}"
            st.image(line, alt=told)


def _line(kpi: Kpi, since_ms: int) -> str:
    length_ms = kpi["step_ms"] * max(1, len(kpi["points"]) - 1)
    return sparkline.svg(
        kpi["points"],
        kpi["baseline"],
        color=_LINES.get(kpi["trend"]["course"], palette.QUIET),
        began=(since_ms - kpi["start_ms"]) / length_ms,
    )


def _loss(figure: ImpactFigure) -> None:
    st.metric(
        plain(figure["title"]),
        figure["text"],
        border=True,
        height=_CARD_HEIGHT,
        help=plain(figure["note"]),
    )
