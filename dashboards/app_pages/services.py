"""Services: how each is, in colour and with reasons, learned without any configuration."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import service_list
from dashboards.zone import clock
from tocsin.client.service_health import (
    ServiceFigures,
    ServiceHealth,
    ServiceHealthDetail,
    ServiceHealthList,
)
from tocsin.client.wording import percent, quantity

PAGE = Page(title="Services", icon=":material/ecg_heart:", order=1)

_REFRESH = "5s"
_SHOWN = 100
_COLOURS: dict[str, BadgeColor] = {
    "red": "red",
    "yellow": "orange",
    "green": "green",
    "grey": "gray",
}
_MEANINGS = {
    "red": "Unwell by itself",
    "yellow": "Not as usual, or unwell because of another",
    "green": "As usual",
    "grey": "Not known: learning, too few requests, or silent",
}
_OPENED = "of"


def page() -> None:
    """Draw the page; it keeps itself up to date."""
    _live()


@st.fragment(run_every=_REFRESH)
def _live() -> None:
    with states.loading():
        reading = sources.service_health()
    answer = states.value_or_notice(reading, "health of services", key="service-health")
    if answer is None:
        return
    if not answer["services"]:
        states.empty(
            "No service yet: send traces to OTLP on port 4318, or metrics of requests, and each "
            "service stands here within a minute, with its colour within five.",
            icon=":material/ecg_heart:",
        )
        return
    with states.panel("Figures"):
        _figures(answer)
    with states.panel("Services"):
        _services(answer["services"])
    with states.panel("Parts"):
        _parts(answer["services"])


def _figures(answer: ServiceHealthList) -> None:
    with st.container(horizontal=True):
        for colour, meaning in _MEANINGS.items():
            count = str(answer["by_health"].get(colour, 0))
            st.metric(colour.capitalize(), count, border=True, help=meaning)
    if answer["left_out"]:
        st.caption(f"{answer['left_out']} more found no room: their health is not learned.")


def _services(found: Sequence[ServiceHealth]) -> None:
    for one in found[:_SHOWN]:
        with st.container(border=True):
            _service(one)
    if len(found) > _SHOWN:
        st.caption(f"{len(found) - _SHOWN} more are not listed; `tocsin health` has them all.")


def _service(one: ServiceHealth) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(badge(one), color=_COLOURS.get(one["health"], "gray"))
        st.page_link(
            service_list.PAGE,
            label=f"**{plain(one['service'])}**",
            query_params={service_list.PARAMETER: one["service"]},
        )
        st.caption(worded(one))
    for reason in one["reasons"]:
        st.markdown(f"- {plain(reason['text'])}")
    if one["path"]:
        st.caption(f"To blame: {plain(' → '.join(one['path']))}")


def badge(one: ServiceHealth) -> str:
    """Return the colour in words, for those who don't see it; grey with what it means."""
    if one["health"] == "grey":
        return f"grey: {one['state'].replace('_', ' ')}"
    return one["health"]


def worded(one: ServiceFigures) -> str:
    """Return figures as Markdown; what is not measured is said to be so."""
    parts = (
        f"{quantity(one['traffic'], '1/s')} requests",
        f"{percent(one['error_ratio'])} fail",
        f"{quantity(one['duration_s'], 's')} on average",
    )
    return " · ".join(parts)


def _parts(found: Sequence[ServiceHealth]) -> None:
    st.subheader("Regions, operations and calls", anchor=False)
    name = st.selectbox(
        "Service",
        [one["service"] for one in found],
        index=None,
        key=_OPENED,
        bind="query-params",
        placeholder="choose a service",
        width=280,
    )
    if not name:
        return
    reading = sources.service_health_of(str(name))
    one = states.value_or_notice(reading, "parts of the service", key="service-parts")
    if one is not None:
        _tables(one)


def _tables(one: ServiceHealthDetail) -> None:
    sorts: Sequence[tuple[str, Sequence[tuple[str, ServiceFigures]]]] = (
        ("Region", [(part["name"], part) for part in one["regions"]]),
        ("Operation", [(part["name"], part) for part in one["operations"]]),
        ("It calls", [(part["service"], part) for part in one["calls"]]),
        ("Called by", [(part["service"], part) for part in one["called_by"]]),
    )
    for title, parts in sorts:
        if parts:
            rows = [
                {
                    title: name,
                    "Requests": quantity(part["traffic"], "1/s"),
                    "Fail": percent(part["error_ratio"]),
                    "Take": quantity(part["duration_s"], "s"),
                    "Not as usual": ", ".join(part["unusual"]),
                }
                for name, part in parts
            ]
            st.dataframe(rows, hide_index=True, key=f"parts-{title}")
    st.caption(f"As of {clock(one['updated_ms'])}")


page()
