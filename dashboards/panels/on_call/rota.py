"""Schedules: who has them now and next, the coming weeks as a chart, and what people carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from dashboards import questions, states, zone
from dashboards.charts import palette
from dashboards.markdown import plain
from dashboards.zone import moment
from tocsin.client.response.oncall_shapes import Gap, Oncall, Schedule, Shift
from tocsin.client.response.rotas import next_shift
from tocsin.client.wording import duration, number, percent

OVERRIDE = "override"
_NOBODY = "nobody"
_ROW_PX, _HEAD_PX, _NAME_PX = 40, 110, 130
_SHOWN_GAPS = 5


def draw_now(one: Schedule, now_ms: int, days: int) -> None:
    """Draw who has a schedule, until when, who is next, and where it lacks somebody."""
    now = one["now"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(now["name"] if now else _NOBODY, color="green" if now else "red")
        st.markdown(f"**{plain(one['title'] or one['name'])}**", width="stretch")
        st.download_button(
            "Calendar",
            questions.calendar(one["name"], days),
            file_name=f"{one['name']}.ics",
            mime="text/calendar",
            icon=":material/calendar_month:",
            key=f"calendar-{one['name']}",
            type="tertiary",
            on_click="ignore",
        )
    st.markdown("  \n".join(told(one, now_ms)))
    for gap in one["gaps"][:_SHOWN_GAPS]:
        st.markdown(f":red-badge[gap] {gap_words(gap, now_ms)}")
    if len(one["gaps"]) > _SHOWN_GAPS:
        st.caption(f"{len(one['gaps']) - _SHOWN_GAPS} more gaps; the chart has them all.")


def told(one: Schedule, now_ms: int) -> Iterator[str]:
    """Yield who has a schedule and who is next, as lines of Markdown."""
    now = one["now"]
    if now is None:
        yield "Now nobody is on call by it: pages go on to the next level, or to their channels."
    else:
        instead = f", instead of the rota: {plain(now['reason'])}" if is_override(now) else ""
        yield f"Now {plain(now['name'])}, until {moment(now['end_ms'])}{instead}"
    following = next_shift(one, now_ms)
    if following is not None:
        wait = duration((following["start_ms"] - now_ms) / 1_000)
        yield f"Next {plain(following['name'])}, in {wait}, from {moment(following['start_ms'])}"
    yield f":small[{plain(one['time_zone'])} · covered {percent(one['covered'])}]"


def is_override(shift: Shift) -> bool:
    """Say whether a shift stands instead of what the rota says."""
    return shift["layer"] == OVERRIDE


def gap_words(gap: Gap, now_ms: int) -> str:
    """Say when nobody is on call."""
    length = duration((gap["end_ms"] - gap["start_ms"]) / 1_000)
    began = gap["start_ms"] <= now_ms
    start = "since" if began else "from"
    return f"nobody {start} {moment(gap['start_ms'])} until {moment(gap['end_ms'])}, {length}"


def draw_weeks(found: Oncall) -> None:
    """Draw a bar for each shift, a row a schedule; gaps are red."""
    st.subheader("The coming weeks", anchor=False)
    data = table(found["schedules"])
    names = [name for name in dict.fromkeys(data["who"]) if name != _NOBODY]
    colors = [palette.line(place) for place in range(len(names))]
    gaps = _NOBODY in set(data["who"])
    chart = (
        alt.Chart(data)
        .mark_bar(height=24, cornerRadius=3)
        .encode(
            x=alt.X(
                "start:T",
                title=None,
                scale=alt.Scale(type="utc" if zone.is_utc() else "time"),
                axis=alt.Axis(format="%a %d %b", labelOverlap="greedy", labelBound=True, grid=True),
            ),
            x2="end:T",
            y=alt.Y("schedule:N", title=None, sort=None),
            color=alt.Color(
                "who:N",
                title=None,
                legend=alt.Legend(orient="top", columns=2, labelLimit=_NAME_PX),
                scale=alt.Scale(
                    domain=[*names, *([_NOBODY] if gaps else [])],
                    range=[*colors, *([palette.TROUBLE] if gaps else [])],
                ),
            ),
            tooltip=["schedule", "who", "from", "until", "instead"],
        )
        .properties(height=_HEAD_PX + _ROW_PX * len(found["schedules"]))
    )
    st.altair_chart(chart, key="rota", alt=described(found["schedules"]))


def table(schedules: Sequence[Schedule]) -> pd.DataFrame:
    """Return one row a shift or a gap, with what the chart and its tooltip need."""
    rows = []
    for one in schedules:
        title = one["title"] or one["name"]
        bars = [(s["name"], s["start_ms"], s["end_ms"], s["reason"]) for s in one["shifts"]]
        bars += [(_NOBODY, gap["start_ms"], gap["end_ms"], "") for gap in one["gaps"]]
        rows += [
            {
                "schedule": title,
                "who": who,
                "start": pd.Timestamp(start_ms, unit="ms", tz="UTC"),
                "end": pd.Timestamp(end_ms, unit="ms", tz="UTC"),
                "from": moment(start_ms),
                "until": moment(end_ms),
                "instead": reason,
            }
            for who, start_ms, end_ms, reason in bars
        ]
    columns = ["schedule", "who", "start", "end", "from", "until", "instead"]
    return pd.DataFrame(rows, columns=columns)


def described(schedules: Sequence[Schedule]) -> str:
    """Say in words what the chart shows, for those who can't see it."""
    parts = []
    for one in schedules:
        people = list(dict.fromkeys(shift["name"] for shift in one["shifts"]))
        gaps = f", {len(one['gaps'])} gaps" if one["gaps"] else ""
        parts.append(f"{one['title'] or one['name']}: {', '.join(people) or 'nobody'}{gaps}")
    return "; ".join(parts)


def draw_loads(schedules: Sequence[Schedule]) -> None:
    """Draw what each person carries, by schedule."""
    rows = [
        {
            "Who": load["name"],
            "Schedule": one["title"] or one["name"],
            "Hours": number(load["hours"]),
            "At night": number(load["night_hours"]),
            "On weekends": number(load["weekend_hours"]),
        }
        for one in schedules
        for load in one["loads"]
    ]
    st.subheader("Who carries how much", anchor=False)
    if not rows:
        states.empty("Nobody carries anything in this time.")
        return
    st.dataframe(rows, hide_index=True, key="rota-loads", alt=f"{len(rows)} loads of people")
    fair = [
        f"{plain(one['title'] or one['name'])} {percent(one['balance'])}"
        for one in schedules
        if one["balance"] is not None
    ]
    if fair:
        st.caption(
            f"How evenly the hours are shared, 100 % when all carry alike: {', '.join(fair)}"
        )
