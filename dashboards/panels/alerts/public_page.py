"""The status page as the public sees it, with what waits to be said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import altair as alt
import pandas as pd
import streamlit as st

from dashboards import sources, states
from dashboards.charts import palette
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import lines, plain
from dashboards.panels.acting import asking
from tocsin.client.errors import ClientError
from tocsin.client.response.status_shapes import (
    ComponentRow,
    DraftRow,
    NoticeRow,
    StatusPageState,
)
from tocsin.client.wording import clock, moment, percent

_COLOURS: dict[str, tuple[BadgeColor, str]] = {
    "operational": ("green", palette.CALM),
    "unknown": ("gray", palette.QUIET),
    "maintenance": ("blue", palette.line(0)),
    "degraded": ("orange", palette.line(1)),
    "partial_outage": ("orange", palette.line(5)),
    "major_outage": ("red", palette.TROUBLE),
}
"""How each state of a component is coloured: as a badge, and in the chart of days."""

_ROW_PX, _HEAD_PX = 30, 70
_SHOWN_NOTICES = 20


def draw_head(found: StatusPageState) -> None:
    """Draw what a visitor reads first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words(found["state"]), color=_badge(found["state"]))
        st.subheader(plain(found["title"]), anchor=False, width="content")
        if found["url"].startswith(("https://", "http://")):
            st.link_button(
                "Open the page", found["url"], icon=":material/open_in_new:", type="tertiary"
            )
    st.caption(f"As the public sees it at {clock(found['as_of_ms'])} · {_subscribers(found)}")


def _subscribers(found: StatusPageState) -> str:
    count = found["subscribers"]
    return f"{count} subscriber{'' if count == 1 else 's'}"


def draw_components(found: Sequence[ComponentRow]) -> None:
    """Draw each component with its state, by group, and their days in one chart."""
    grouped = any(one["group"] for one in found)
    for group, rows in groupby(found, lambda one: one["group"]):
        if grouped:
            st.markdown(f"**{plain(group) or 'Others'}**")
        for one in rows:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge(words(one["state"]), color=_badge(one["state"]))
                why = f": {plain(one['reason'])}" if one["reason"] else ""
                st.markdown(
                    f"{plain(one['title'])} :small[by {words(one['source']).casefold()}{why} · up "
                    f"{percent(one['uptime'])} of the {percent(one['measured'])} measured in "
                    "90 days]",
                    width="stretch",
                )
    _days(found)


def _days(found: Sequence[ComponentRow]) -> None:
    data = table(found)
    if data.empty:
        states.empty("No day has been measured yet.")
        return
    shown = [state for state in _COLOURS if state in set(data["key"])]
    chart = (
        alt.Chart(data)
        .mark_rect(cornerRadius=1)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("component:N", title=None, sort=None, axis=alt.Axis(labelOverlap=False)),
            color=alt.Color(
                "state:N",
                title=None,
                legend=alt.Legend(orient="top", columns=3),
                scale=alt.Scale(
                    domain=[words(state) for state in shown],
                    range=[_COLOURS[state][1] for state in shown],
                ),
            ),
            tooltip=["component", "day", "state"],
        )
        .properties(height=_HEAD_PX + _ROW_PX * len(found))
    )
    st.altair_chart(chart, key="component-days", alt=described(found))


def table(found: Sequence[ComponentRow]) -> pd.DataFrame:
    """Return one row a component and day, the oldest day first."""
    rows = [
        {"component": one["title"], "day": day, "key": state, "state": words(state)}
        for one in found
        for day, state in sorted(one["days"].items())
    ]
    return pd.DataFrame(rows, columns=["component", "day", "key", "state"])


def described(found: Sequence[ComponentRow]) -> str:
    """Say in words what the chart of days shows."""
    calm = {"operational", "unknown", "maintenance"}
    return "; ".join(
        f"{one['title']}: {sum(state not in calm for state in one['days'].values())} of "
        f"{len(one['days'])} days with problems"
        for one in found
    )


def draw_drafts(found: Sequence[DraftRow]) -> None:
    """Draw what an incident would have the public told, to be published by a person."""
    for one in found:
        with st.container(border=True, key=f"draft-{one['incident_id']}"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge("draft", color="violet")
                st.badge(words(one["progress"]), color="gray")
                st.markdown(f"**{plain(one['title'])}**", width="stretch")
            st.markdown(lines(one["text"]))
            st.caption(f"Shows: {component_words(one['components'])}")
            with st.popover("Publish", icon=":material/campaign:"):
                st.markdown("Everybody on the internet reads it, and subscribers are told.")
                st.button(
                    "Publish it",
                    key=f"publish-{one['incident_id']}-{one['progress']}",
                    type="primary",
                    on_click=_publish,
                    args=(one,),
                )


def draw_notices(found: Sequence[NoticeRow]) -> None:
    """Draw each notice with what was said, the newest first."""
    st.subheader("What was said", anchor=False)
    if not found:
        states.empty("Nothing is on the page: no incident, no maintenance.")
    for one in found[:_SHOWN_NOTICES]:
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge(words(one["kind"]), color="gray")
                st.badge(words(one["progress"]), color="blue")
                st.markdown(f"**{plain(one['title'])}**", width="stretch")
                if one["incident_id"]:
                    st.page_link(
                        "app_pages/war_room.py",
                        label=one["incident_id"],
                        icon=":material/e911_emergency:",
                        query_params={"incident": one["incident_id"]},
                    )
            for update in reversed(one["updates"]):
                when, how = moment(update["time_ms"]), words(update["progress"])
                st.markdown(f"`{when}` **{how}** {lines(update['text'])}")
            if one["components"]:
                st.caption(f"Shows: {component_words(one['components'])}")


def component_words(found: dict[str, str]) -> str:
    """Say as what components are shown."""
    shown = [f"{plain(name)} {words(state).casefold()}" for name, state in found.items()]
    return ", ".join(shown) or "no component"


def words(name: str) -> str:
    """Return a state or a step as users read it.

    >>> words("partial_outage")
    'Partial outage'
    """
    return name.replace("_", " ").capitalize()


def _badge(state: str) -> BadgeColor:
    return _COLOURS[state][0] if state in _COLOURS else "gray"


def _publish(draft: DraftRow) -> None:
    """Publish a draft as a new notice, or as an update of the one that is there."""
    page, actor = sources.api().status_page, asking.who_acts()
    said = {"text": draft["text"], "progress": draft["progress"], "actor": actor}
    try:
        if draft["notice_id"] is None:
            page.publish(
                title=draft["title"],
                components=draft["components"],
                incident_id=draft["incident_id"],
                **said,
            )
        else:
            page.update(draft["notice_id"], components=draft["components"], **said)
    except ClientError as error:
        st.session_state["said"] = ("error", f"publishing was refused: {error.message}")
    else:
        st.session_state["said"] = ("done", "published")
    sources.retry()
