"""How near the server is to each of its bounds, and when it gets there."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from dashboards.zone import moment
from tocsin.client.forecast_shapes import ForecastAnswer
from tocsin.client.own.shapes import BoundRow, Capacity
from tocsin.client.wording import NO_DATA, number, percent, quantity, size

NEAR = 0.8
"""From this share on a bound that refuses is near; one that lets the oldest go is never."""


def draw_figures(found: Capacity) -> None:
    """Draw what one looks at first."""
    series = next((one for one in found["bounds"] if one["name"] == "series"), None)
    disk, process = found["disk"], found["process"]
    near = [one for one in found["bounds"] if is_near(one)]
    near_words = ", ".join(one["title"] for one in near) or f"None is beyond {percent(NEAR)}"
    mean = "Samples, spans and lines that were kept, the mean of the last hour"
    rules = percent(found["rules"]["a_step_s"] * 1_000 / found["step_ms"])
    core = "Of the time of one core that a step has"
    figures.draw(
        [
            Figure(label="Bounds near", value=str(len(near)), meaning=near_words),
            Figure(label="Series held", value=percent(share(series)) if series else NO_DATA),
            Figure(label="Comes in", value=quantity(per_second(found), "1/s"), meaning=mean),
            Figure(label="Memory", value=size(process["memory_bytes"]), meaning="Of the process"),
            Figure(label="Rules take", value=rules, meaning=core),
        ]
    )
    if disk is None:
        st.warning("The file system of the data directory does not tell.", icon=":material/save:")


def draw(found: Capacity) -> None:
    """Draw a bar for each bound, the nearest first, and when it is reached if somebody asks."""
    ahead = st.toggle(
        "Forecast when they are reached",
        key="forecast",
        bind="query-params",
        help="A week ahead, learned from two; of those whose course is kept",
    )
    for one in sorted(found["bounds"], key=lambda one: (one["fills"], -(share(one) or 0.0))):
        _bar(one)
        if ahead and one["query"] and not one["fills"]:
            _forecast(one)


def _bar(one: BoundRow) -> None:
    part = share(one)
    worded, color = standing(one)
    with st.container(horizontal=True, vertical_alignment="center", key=f"bound-{one['name']}"):
        st.markdown(f"**{plain(one['title'])}**", width="stretch")
        st.badge(worded, color=color)
    used = size(one["used"]) if one["unit"] == "bytes" else number(one["used"])
    most = quantity(one["most"], one["unit"])
    text = f"{percent(part)}: {used} of {most}; at the bound {plain(one['then'])}"
    st.progress(min(1.0, max(0.0, part or 0.0)), text=text)


def _forecast(one: BoundRow) -> None:
    reading = questions.forecast(one["query"], one["most"])
    answer = states.value_or_notice(reading, f"forecast of {one['title']}", key=one["name"])
    if answer is not None:
        st.markdown(f":material/trending_up: {plain(forecast_words(answer))}")


def forecast_words(answer: ForecastAnswer) -> str:
    """Say when a limit is reached, or why nobody knows."""
    if not answer["lines"]:
        return "Nothing of its past is kept."
    line = answer["lines"][0]
    ahead = line["exhaustion"]
    if ahead is None:
        return f"No forecast: {line['why_not'] or 'its past says too little'}"
    if ahead["reached"]:
        return "It is reached."
    if ahead["likeliest_ms"] is None and ahead["earliest_ms"] is None:
        return "Not reached within what is looked ahead."
    likeliest = moment(ahead["likeliest_ms"]) if ahead["likeliest_ms"] else "not within a week"
    latest = moment(ahead["latest_ms"]) if ahead["latest_ms"] else "not at all"
    earliest = moment(ahead["earliest_ms"])
    return f"Likeliest {likeliest}; between {earliest} and {latest}."


def standing(one: BoundRow) -> tuple[str, BadgeColor]:
    """Return how a bound stands, in words and with a colour."""
    part = share(one)
    if part is None:
        return "no bound", "gray"
    if one["fills"]:
        return ("full, as is usual" if part >= 1 else "fills"), "gray"
    if part >= 1:
        return "reached", "red"
    return ("near", "orange") if part >= NEAR else ("far", "green")


def is_near(one: BoundRow) -> bool:
    """Say whether somebody should do something about a bound."""
    return not one["fills"] and (share(one) or 0.0) >= NEAR


def share(one: BoundRow) -> float | None:
    """Return the part of a bound that is taken, None without a bound."""
    return one["used"] / one["most"] if one["most"] else None


def per_second(found: Capacity) -> float:
    """Return how much was kept a second, the mean of the window."""
    accepted = found["accepted"]
    return sum(accepted["by_receiver"].values()) / (accepted["window_ms"] / 1_000)
