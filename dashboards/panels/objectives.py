"""Objectives as cards: how good, how fast the budget burns, how much of it is left."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from tocsin.client.explained import standing as standings
from tocsin.client.forecasts import budget_gone
from tocsin.client.shapes import BurnRate, Slo
from tocsin.client.wording import NO_DATA, duration, multiple, percent, scope

_ENOUGH_LEFT = 0.25
_MAX_REASONS = 2
_ALL_MEASURED = 0.99
_COLORS: dict[standings.Level, BadgeColor] = {
    standings.Level.BAD: "red",
    standings.Level.NEAR: "orange",
    standings.Level.UNKNOWN: "gray",
    standings.Level.WELL: "green",
}
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
    order = {"red": 0, "orange": 1, "gray": 2, "green": 3}
    return sorted(slos, key=lambda s: (order.get(standing(s)[1], 2), s["name"], scope(s["scope"])))


def _card(slo: Slo) -> None:
    with st.container(border=True, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(slo['display_name'] or slo['name'])}**", width="stretch")
            words, color = standing(slo)
            st.badge(words, color=color)
        where = scope(slo["scope"]) or slo["service"]
        st.caption(
            f"{plain(where)} · target {percent(slo['target'])} over {duration(slo['window_s'])}",
            help=plain(slo["description"]) or None,
        )
        good = f"Good **{percent(slo['good_ratio'])}**"
        st.markdown(f"{good} · budget left {budget_left(slo)}", help=_BUDGET_HELP)
        ahead = slo.get("forecast")
        if ahead is not None:
            st.caption(plain(f"Budget {budget_gone(ahead, slo['updated_ms'])}"))
        if slo["burn_rates"]:
            st.markdown(burn_table(slo["burn_rates"]))
        reasons = slo["reasons"]
        if reasons:
            st.caption(":material/info: " + plain("; ".join(reasons[:_MAX_REASONS])))


def standing(slo: Slo) -> tuple[str, BadgeColor]:
    """Return how an objective stands, in words and in a colour: never green over a red number."""
    words, level = standings.standing(slo)
    return words, _COLORS[level]


def burning(slos: Sequence[Slo] | None) -> str:
    """Return how many objectives burn, of how many that are measured."""
    if slos is None:
        return NO_DATA
    if not slos:
        return "none set"
    measured = [slo for slo in slos if standing(slo)[1] != "gray"]
    hot = sum(standing(slo)[1] in ("red", "orange") for slo in measured)
    return f"{hot} of {len(measured)}" if measured else "not measured"


def measured_of(coverage: float | None, window_s: float) -> str:
    """Say how much of a window has been measured.

    >>> measured_of(0.1, 3600), measured_of(1.0, 3600), measured_of(None, 3600)
    ('measured 6 min of 1 h', 'measured 1 h', 'not measured')
    """
    if not coverage:
        return "not measured"
    if coverage >= 1:
        return f"measured {duration(window_s)}"
    return f"measured {duration(coverage * window_s)} of {duration(window_s)}"


def budget_left(slo: Slo) -> str:
    """Word what is left of the budget, and of how much of the window that is known.

    While most of the window is not measured yet, a share of the measured events says little about
    the whole: the projection to the window's end at the same traffic is given instead.
    """
    ratio = standings.budget_left(slo)
    if ratio is None:
        return f"**{NO_DATA}**"
    color = "red" if ratio <= 0 else "green" if ratio >= _ENOUGH_LEFT else "orange"
    if color == "green" and standing(slo)[1] in ("red", "orange"):
        color = "orange"
    words = "projected, " if ratio is not slo["error_budget_remaining"] else ""
    known = measured_of(slo["coverage"], slo["window_s"])
    return f":{color}[**{percent(ratio)}**] :gray[({words}{known})]"


def burn_table(rates: Sequence[BurnRate]) -> str:
    """Return one row a tier: both windows' burn rates beside the rate at which it alerts."""
    head = "| windows | burn rates | alerts at |\n|---|---:|---:|\n"
    return head + "\n".join(_unbroken(_burn_row(rate)) for rate in rates)


def _burn_row(rate: BurnRate) -> str:
    return (
        f"| {_long_window(rate)} / {duration(rate['short_s'])} "
        f"| {_rate(rate, rate['long'])} / {_rate(rate, rate['short'])} "
        f"| {multiple(rate['threshold'])} {plain(rate['urgency'])} |"
    )


def _long_window(rate: BurnRate) -> str:
    """Word the long window, with what of it is measured while that is not all."""
    coverage = rate.get("coverage")
    if coverage is None or coverage >= _ALL_MEASURED:
        return duration(rate["long_s"])
    return measured_of(coverage, rate["long_s"])


def _unbroken(text: str) -> str:
    """Keep a cell on one line."""
    return text.replace(" ", "\u00a0")


def _rate(rate: BurnRate, value: float | None) -> str:
    worded = multiple(value)
    return f":red[**{worded}**]" if rate["firing"] or standings.is_over(rate, value) else worded
