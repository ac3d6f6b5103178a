"""Budgets over weeks: how much of an objective's was left at each moment."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts import burn_down
from dashboards.markdown import plain
from dashboards.panels import chart_stack
from dashboards.timerange import TimeRange
from tocsin.client.shapes import Slo
from tocsin.client.wording import duration, percent, scope

_DAY_S = 86_400
_WINDOWS = {"30 d": 30 * _DAY_S, "90 d": 90 * _DAY_S}
_OWN = "its own window"
_HEIGHT = 220


def draw(slos: Sequence[Slo], *, key: str) -> None:
    """Draw the choice of an objective and a window, and its burn-down; asks once it is open."""
    if not slos:
        return
    box = st.expander(
        "Budget over time", icon=":material/trending_down:", key=f"{key}-box", on_change="rerun"
    )
    with box:
        if not box.open:
            return
        with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-bar"):
            which = st.selectbox(
                "Objective",
                range(len(slos)),
                format_func=lambda at: named(slos[at]) if at < len(slos) else "",
                key=f"{key}-objective",
                width=360,
            )
            over = st.selectbox("Over", [_OWN, *_WINDOWS], key=f"{key}-over", width=160)
        with states.panel("Budget over time"):
            _chart(slos[which or 0], str(over or _OWN), key)


def named(slo: Slo) -> str:
    """Return an objective's name with its scope."""
    return " · ".join(filter(None, (slo["display_name"] or slo["name"], scope(slo["scope"]))))


def _chart(slo: Slo, over: str, key: str) -> None:
    length_s = _WINDOWS.get(over, slo["window_s"])
    start = f"e-{max(1, round(length_s / 60))}m"
    span = TimeRange(start=start, end="now", live=True, words=f"last {duration(length_s)}")
    asked = [
        states.value_or_notice(
            sources.slow_graph(slo[half], start), "budget over time", key=f"{key}-{half}"
        )
        for half in ("good_expr", "total_expr")
    ]
    good, total = asked
    if good is None or total is None:
        return
    found = burn_down.burn_down(good, total, slo["scope"], slo["target"])
    if found.now is None:
        states.empty(f"Not measured in the {span.words}.", icon=":material/flag:")
        return
    row = burn_down.row_of(found, f"{named(slo)}: budget left")
    chart_stack.show([row], span, key=f"{key}-chart", row_height=_HEIGHT)
    st.caption(plain(told(found, slo, length_s)))


def told(found: burn_down.BurnDown, slo: Slo, length_s: float) -> str:
    """Say what the chart says, and of how much of the window that is known."""
    words = f"{percent(found.now)} of the budget left at a target of {percent(slo['target'])}"
    measured = duration(found.covered * length_s)
    if found.covered >= 1:
        return f"{words}, all {duration(length_s)} measured."
    return (
        f"{words}, if what was not measured had the traffic of what was: measured {measured} of "
        f"{duration(length_s)}; gaps are not measured."
    )
