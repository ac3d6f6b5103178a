"""Objectives as cards: how good, how fast the budget burns, how much of it is left."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.charts import palette
from dashboards.markdown import plain
from tocsin.client.shapes import BurnRate, Slo
from tocsin.client.wording import NO_DATA, duration, multiple, percent, scope

_WORDS = {"ok": "no alert", "burning": "burning", "no_data": "no data"}
_ENOUGH_LEFT = 0.25
_MAX_REASONS = 2
_MOSTLY_MEASURED = 0.5
_BUDGET_HELP = (
    "The error budget is the share of events that may fail within the window. A burn rate of 1 "
    "spends it exactly by the window's end; an alert needs both windows above its rate."
)


def draw(slos: Sequence[Slo]) -> None:
    """Draw one card an objective and scope, burning ones first."""
    if not slos:
        states.empty(
            "No objectives are loaded: put OpenSLO files into the config directory's slos/."
        )
        return
    with st.grid(columns(len(slos)), gap="small", key="objectives"):
        for slo in ranked(slos):
            _card(slo)


def columns(cards: int) -> int:
    """Return how many cards stand side by side, so that the last row is not left half empty.

    >>> [columns(cards) for cards in (1, 2, 3, 4, 5, 6)]
    [1, 2, 3, 2, 3, 3]
    """
    return 2 if cards == 4 else min(cards, 3)


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
            f"{plain(where)} · target {percent(slo['target'])} over {duration(slo['window_s'])}",
            help=plain(slo["description"]) or None,
        )
        good = f"Good **{percent(slo['good_ratio'])}**"
        st.markdown(f"{good} · budget left {budget_left(slo)}", help=_BUDGET_HELP)
        if slo["burn_rates"]:
            st.markdown(burn_table(slo["burn_rates"]))
        reasons = slo["reasons"]
        if reasons:
            st.caption(":material/info: " + plain("; ".join(reasons[:_MAX_REASONS])))


def budget_left(slo: Slo) -> str:
    """Word what is left of the budget, and of how much of the window that is known.

    While most of the window is not measured yet, a share of the measured events says little about
    the whole: the projection to the window's end at the same traffic is given instead.
    """
    measured, coverage = slo["error_budget_remaining"], slo["coverage"]
    projected = slo["error_budget_remaining_projected"]
    young = coverage is not None and coverage < _MOSTLY_MEASURED and projected is not None
    ratio = projected if young else measured
    if ratio is None:
        return f"**{NO_DATA}**"
    color = "red" if ratio <= 0 else "green" if ratio >= _ENOUGH_LEFT else "orange"
    words = "projected, " if young else ""
    return (
        f":{color}[**{percent(ratio)}**] :gray[({words}{percent(coverage)} of the window measured)]"
    )


def burn_table(rates: Sequence[BurnRate]) -> str:
    """Return one row a tier: both windows' burn rates beside the rate at which it alerts."""
    head = "| windows | burn rates | alerts at |\n|---|---:|---:|\n"
    return head + "\n".join(_unbroken(_burn_row(rate)) for rate in rates)


def _burn_row(rate: BurnRate) -> str:
    return (
        f"| {duration(rate['long_s'])} / {duration(rate['short_s'])} "
        f"| {_rate(rate, rate['long'])} / {_rate(rate, rate['short'])} "
        f"| {multiple(rate['threshold'])} {plain(rate['urgency'])} |"
    )


def _unbroken(text: str) -> str:
    """Keep a cell on one line."""
    return text.replace(" ", "\u00a0")


def _rate(rate: BurnRate, value: float | None) -> str:
    worded = multiple(value)
    return f":red[**{worded}**]" if rate["firing"] else worded
