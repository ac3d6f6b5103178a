"""Objectives as cards: how good, how fast the budget burns, how much of it is left."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.charts import palette
from dashboards.phrasing import multiple, percent, plain, scope, window
from tocsin.client import BurnRate, Slo

_WORDS = {"ok": "within budget", "burning": "burning", "no_data": "no data"}


def draw(slos: Sequence[Slo], *, columns: int = 3) -> None:
    """Draw one card an objective and scope, burning ones first."""
    if not slos:
        states.empty(
            "No objectives are loaded: put OpenSLO files into the config directory's slos/."
        )
        return
    with st.grid(columns, gap="small", key="objectives"):
        for slo in ranked(slos):
            _card(slo)


def ranked(slos: Sequence[Slo]) -> list[Slo]:
    """Put burning objectives first, then those without data, then by name."""
    order = {"burning": 0, "no_data": 1, "ok": 2}
    return sorted(slos, key=lambda s: (order.get(s["state"], 3), s["name"], scope(s["scope"])))


def _card(slo: Slo) -> None:
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(slo['display_name'] or slo['name'])}**", width="stretch")
            st.badge(_WORDS.get(slo["state"], slo["state"]), color=palette.objective(slo["state"]))
        where = scope(slo["scope"]) or slo["service"]
        st.caption(
            f"{plain(where)} · target {percent(slo['target'], digits=3)} over "
            f"{window(slo['window_s'])}",
            help=plain(slo["description"]) or None,
        )
        left = slo["error_budget_remaining"]
        st.markdown(
            f"Good **{percent(slo['good_ratio'], digits=3)}** · budget left "
            f"**{percent(left, digits=1)}**"
        )
        if left is not None:
            st.progress(min(1.0, max(0.0, left)))
        st.markdown(_burn_table(slo["burn_rates"]))
        st.caption(f"{percent(slo['coverage'], digits=1)} of the window measured")


def _burn_table(rates: Sequence[BurnRate]) -> str:
    head = "| windows | burn long | short | pages at |\n|---|---:|---:|---:|\n"
    return head + "\n".join(
        f"| {window(r['long_s'])} / {window(r['short_s'])} | {_rate(r, r['long'])} "
        f"| {_rate(r, r['short'])} | {multiple(r['threshold'])} |"
        for r in rates
    )


def _rate(rate: BurnRate, value: float | None) -> str:
    worded = multiple(value)
    return f":red[**{worded}**]" if rate["firing"] else worded
