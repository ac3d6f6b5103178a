"""Incidents: all of them, narrowed down, how fast they were answered, and which look alike."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts import palette
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import actions, incident_picker
from dashboards.panels.alerts import incident_report
from dashboards.zone import moment
from tocsin.client.shapes import IncidentSummary
from tocsin.client.wording import between, duration, scope

PAGE = Page(title="Incidents", icon=":material/list_alt:", order=1, group="Respond")

_REFRESH = "5s"
_TABLE_ROWS = 500
_MAX_SEARCH = 200
_STATES = ("open", "over", "all")
_ROOM = "/war_room?incident="


def page() -> None:
    """Draw the filters, which keep what is chosen, and the list, which keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="incident-filters"):
        state = st.radio(
            "State", _STATES, index=2, horizontal=True, key="state", bind="query-params"
        )
        words = st.text_input(
            "Search",
            key="search",
            bind="query-params",
            max_chars=_MAX_SEARCH,
            placeholder="title, place, id",
            width=260,
        )
        severity = st.selectbox(
            "Severity",
            ["any", *actions.SEVERITIES],
            key="severity",
            bind="query-params",
            width=130,
        )
    _live(str(state), str(words or ""), str(severity))


@st.fragment(run_every=_REFRESH)
def _live(state: str, words: str, severity: str) -> None:
    with states.loading():
        reading = sources.incidents()
    found = states.value_or_notice(reading, "incidents", key="incidents")
    if found is None:
        return
    if not found:
        states.empty(
            "No incident yet. One opens when an objective burns or a detector fires; you can "
            "declare one in the war room.",
            icon=":material/check_circle:",
        )
        return
    shown = [one for one in found if matches(one, state, words, severity)]
    with states.panel("Incidents"):
        _table(shown, len(found))
    with states.panel("One of them"):
        _chosen(shown)
    with states.panel("Report"):
        incident_report.draw()


def matches(one: IncidentSummary, state: str, words: str, severity: str) -> bool:
    """Say whether an incident is wanted: every word of a search must stand somewhere in it."""
    if state != "all" and incident_picker.is_open(one) != (state == "open"):
        return False
    if severity not in {"any", one["severity"]}:
        return False
    text = f"{one['id']} {one['title']} {scope(one['scope'])} {one['status']}".casefold()
    return all(word in text for word in words.casefold().split())


def _table(shown: Sequence[IncidentSummary], total: int) -> None:
    if not shown:
        states.empty(f"None of {total} incidents is like that.", icon=":material/search_off:")
        return
    st.dataframe(
        [_row(one) for one in shown[:_TABLE_ROWS]],
        hide_index=True,
        key="incidents",
        alt=f"{len(shown)} incidents",
        column_config={
            "War room": st.column_config.LinkColumn(display_text=r"incident=(.*)", width="small"),
            "Title": st.column_config.TextColumn(width="large"),
        },
    )
    more = f", the newest {_TABLE_ROWS} listed" if len(shown) > _TABLE_ROWS else ""
    st.caption(f"{len(shown)} of {total} incident{'' if total == 1 else 's'}{more}")


def _row(one: IncidentSummary) -> dict[str, object]:
    waited = between(one["opened_ms"], one["acknowledged_ms"])
    acknowledged = "not yet" if one["acknowledged_ms"] is None else waited
    return {
        "Severity": one["severity"],
        "Title": one["title"],
        "Status": one["status"],
        "War room": f"{_ROOM}{one['id']}",
        "Opened": moment(one["opened_ms"]),
        "Lasted": duration(one["elapsed_s"]),
        "Acknowledged after": acknowledged,
        "Where": scope(one["scope"]),
        "Tasks": f"{one['open_tasks']} open" if one["open_tasks"] else "",
    }


def _chosen(shown: Sequence[IncidentSummary]) -> None:
    """Draw what one incident was about and which others look like it."""
    if not shown:
        return
    chosen = incident_picker.choose(shown, fall_back=True)
    if chosen is None:
        return
    screen = states.value_or_notice(sources.screen(chosen), "incident", key="incident")
    if screen is None:
        return
    one = screen["incident"]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(one["severity"], color=palette.severity(one["severity"]))
            st.badge(one["status"], color=palette.status(one["status"]))
            st.markdown(f"**{plain(one['title'])}**", width="stretch")
            st.page_link(
                "app_pages/war_room.py",
                label="Enter the war room",
                icon=":material/e911_emergency:",
                query_params={incident_picker.PARAMETER: one["id"]},
            )
        st.markdown(plain(screen["sentence"]))
        st.markdown("**Similar ones**")
        for past in one["similar"]:
            link = f"[{plain(past['title'])}](/incidents?incident={past['id']}&state=all)"
            st.markdown(f"- {link}, {moment(past['opened_ms'])}: {plain(past['why'])}")
        if not one["similar"]:
            states.empty("None that is known looks like it.")


page()
