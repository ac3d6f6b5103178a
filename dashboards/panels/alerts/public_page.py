"""The status page as the public sees it, with what waits to be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import altair as alt
import pandas as pd
import streamlit as st

from dashboards import rights, sources, states
from dashboards.charts import palette
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import lines, plain
from dashboards.panels.acting import asking
from tocsin.client.errors import ClientError
from tocsin.client.response.status_shapes import (
    ComponentRow,
    DraftRow,
    StatusPageState,
)
from tocsin.client.wording import clock, moment

_COLOURS: dict[str, tuple[BadgeColor, str]] = {
    "operational": ("green", palette.CALM),
    "unknown": ("gray", palette.QUIET),
    "maintenance": ("blue", palette.line(0)),
    "degraded": ("orange", palette.line(1)),
    "partial_outage": ("orange", palette.line(5)),
    "major_outage": ("red", palette.TROUBLE),
}
"""How each state of a component is coloured: as a badge, and in the chart of days."""

_SOURCES = {
    "automatic": "by what is measured",
    "person": "set by a person",
    "published": "as was published",
    "schedule": "by the plan of maintenance",
}
"""Where a state comes from, in words."""

_NAMED_DAYS = (0.15, 0.5, 0.85)
_ROW_PX, _HEAD_PX = 30, 120
_SHOWN_NOTICES = 20


def draw_head(found: StatusPageState) -> None:
    """Draw what a visitor reads first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(found["headline"], color=_badge(found["state"]))
        st.subheader(plain(found["title"]), anchor=False, width="content")
        if found["url"].startswith(("https://", "http://")):
            st.link_button(
                "Open the page", found["url"], icon=":material/open_in_new:", type="tertiary"
            )
    st.caption(f"As the public sees it at {clock(found['as_of_ms'])} · {_subscribers(found)}")


def _subscribers(found: StatusPageState) -> str:
    count = found["subscribers"]
    return f"{count} subscriber{'' if count == 1 else 's'}"


def draw_components(page: StatusPageState) -> None:
    """Draw each component with its state, by group, and their days in one chart."""
    found = page["components"]
    grouped = any(one["group"] for one in found)
    for group, rows in groupby(found, lambda one: one["group"]):
        if grouped:
            st.markdown(f"**{plain(group) or 'Others'}**")
        for one in rows:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge(page["states"][one["state"]], color=_badge(one["state"]))
                by = "" if one["state"] == "unknown" else _SOURCES.get(one["source"], "")
                said = plain(" · ".join(filter(None, (by, one["reason"], one["history"]))))
                st.markdown(f"{plain(one['title'])} :small[{said}]", width="stretch")
    _days(page)


def _days(page: StatusPageState) -> None:
    found, named = page["components"], page["states"]
    data = table(found, named)
    if data.empty:
        states.empty("No day has been measured yet.")
        return
    shown = [state for state in _COLOURS if state in set(data["key"])]
    chart = (
        alt.Chart(data)
        .mark_rect(cornerRadius=1)
        .encode(
            x=alt.X("day:O", title=None, axis=_days_axis(data)),
            y=alt.Y("component:N", title=None, sort=None, axis=alt.Axis(labelOverlap=False)),
            color=alt.Color(
                "state:N",
                title=None,
                legend=alt.Legend(orient="top", columns=2),
                scale=alt.Scale(
                    domain=[named[state] for state in shown],
                    range=[_COLOURS[state][1] for state in shown],
                ),
            ),
            tooltip=["component", "day", "state"],
        )
        .properties(height=_HEAD_PX + _ROW_PX * len(found))
    )
    st.altair_chart(chart, key="component-days", alt=described(found))


def _days_axis(data: pd.DataFrame) -> alt.Axis:
    """Return an axis that names as many days as fit on a phone."""
    days = sorted(set(data["day"]))
    named = [days[int(share * len(days))] for share in _NAMED_DAYS]
    return alt.Axis(values=named, labelAngle=0, labelOverlap=True, ticks=False)


def table(found: Sequence[ComponentRow], named: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a component and day, the oldest day first; ``named`` words the states."""
    rows = [
        {"component": one["title"], "day": day, "key": state, "state": named[state]}
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


def draw_drafts(page: StatusPageState) -> None:
    """Draw what an incident would have the public told, to be published by a person."""
    for one in page["drafts"]:
        with st.container(border=True, key=f"draft-{one['incident_id']}"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge("draft", color="violet")
                st.badge(words(one["progress"]), color="gray")
                st.markdown(f"**{plain(one['title'])}**", width="stretch")
            st.markdown(lines(one["text"]))
            st.caption(f"Shows: {component_words(page, one['components'])}")
            if rights.looks_only(rights.COMMAND):
                continue
            with st.popover("Publish", icon=":material/campaign:"):
                st.markdown("Everybody on the internet reads it, and subscribers are told.")
                st.button(
                    "Publish it",
                    key=f"publish-{one['incident_id']}-{one['progress']}",
                    type="primary",
                    on_click=_publish,
                    args=(one,),
                )


def draw_notices(page: StatusPageState) -> None:
    """Draw each notice with what was said, the newest first."""
    found = page["notices"]
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
                st.markdown(f"**{how}** · :small[{when}]  \n{lines(update['text'])}")
            if one["components"]:
                st.caption(f"Shows: {component_words(page, one['components'])}")


def component_words(page: StatusPageState, found: Mapping[str, str]) -> str:
    """Say as what components are shown, by the names that users read."""
    titles = {one["name"]: one["title"] for one in page["components"]}
    shown = [
        f"{plain(titles.get(name, name))} {page['states'][state].casefold()}"
        for name, state in found.items()
    ]
    return ", ".join(shown) or "no component"


def words(name: str) -> str:
    """Return a step or a kind as users read it.

    >>> words("in_progress")
    'In progress'
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
