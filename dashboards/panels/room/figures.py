"""How bad it is in figures: the value beside what it should be, and what people have lost."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.charts import palette, sparkline
from dashboards.markdown import plain
from dashboards.panels.room.head import COURSES
from tocsin.client.response.screen_shapes import Kpi, Screen

_MAX_KPIS = 2
_MAX_LOSSES = 3
_CARD_PX = 160
_CARD_HEIGHT = 148
_LINES = {
    "getting worse": palette.TROUBLE,
    "steady": palette.CAUTION,
    "getting better": palette.CALM,
}


def draw(screen: Screen) -> None:
    """Draw the figure that leads, the impact, and the next figure; all stand with the evidence.

    One row on any window: on a narrow one the last is a swipe away.
    """
    kpis = screen["kpis"][:_MAX_KPIS]
    cards = 1 + max(1, len(kpis))
    with st.grid(cards, min_column_width=_CARD_PX, wrap=False, gap="xsmall", key="room-figures"):
        if not kpis:
            states.empty("Nothing is measured of this incident.", icon=":material/straighten:")
        for kpi in kpis[:1]:
            _kpi(kpi, screen["since_ms"])
        _impact(screen)
        for kpi in kpis[1:]:
            _kpi(kpi, screen["since_ms"])


def described(kpi: Kpi) -> str:
    """Return what a figure says besides its value."""
    parts = [kpi["worst"], kpi["usual"], kpi["note"], kpi["trend"]["why"]]
    return "; ".join(part for part in parts if part)


def _kpi(kpi: Kpi, since_ms: int) -> None:
    course = kpi["trend"]["course"]
    with st.container(border=True, height=_CARD_HEIGHT, gap="xxsmall"):
        st.metric(
            plain(kpi["title"]),
            kpi["now"],
            delta=kpi["usual"] or course,
            delta_color=COURSES.get(course, "gray") if kpi["usual"] else "gray",
            delta_arrow="off",
            help=plain(described(kpi)),
        )
        if line := _line(kpi, since_ms):
            st.html(line)


def _impact(screen: Screen) -> None:
    """Draw what people have lost so far, or why that is not known."""
    losses = screen["impact"][:_MAX_LOSSES]
    so_far = "Impact so far" if screen["until_ms"] is None else "Impact"
    with st.container(border=True, height=_CARD_HEIGHT, gap="xxsmall", key="room-impact"):
        if not losses:
            st.markdown(f"**{so_far}** · {plain(screen['impact_note'])}")
            return
        worst = losses[0]
        st.metric(so_far, plain(worst["text"]), help=plain(worst["note"]))
        others = [f"{plain(one['title'])} **{plain(one['text'])}**" for one in losses[1:]]
        lines = [f":small[{line}]" for line in (plain(worst["title"]), *others)]
        st.markdown("  \n".join(lines))


def _line(kpi: Kpi, since_ms: int) -> str:
    length_ms = kpi["step_ms"] * max(1, len(kpi["points"]) - 1)
    return sparkline.picture(
        kpi["points"],
        kpi["baseline"],
        color=_LINES.get(kpi["trend"]["course"], palette.QUIET),
        told=f"Course of {kpi['title']}: now {kpi['now']}; {described(kpi)}",
        began=(since_ms - kpi["start_ms"]) / length_ms,
    )
