"""Inspections: what is checked without being asked, what it found, and what can't be checked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import questions, states
from dashboards.charts.palette import BadgeColor
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels.alerts.firing import matches
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from dashboards.zone import moment
from tocsin.client.service_health import FiringPlace, InspectionRow
from tocsin.client.wording import duration, number, quantity, scope

PAGE = Page(title="Inspections", icon=":material/fact_check:", order=2, group="Operate")

_REFRESH = "5s"
_MAX_SEARCH = 200
_SHOWN_PLACES = 20
_TABLE_ROWS = 500
_COLOURS: dict[str, BadgeColor] = {"firing": "red", "pending": "orange", "ok": "green"}
_ORDER = ("firing", "pending", "ok", "not measured", "muted", "not applicable")


def page() -> None:
    """Draw the search, which keeps what is typed, and the rest, which keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    words = st.text_input(
        "Search",
        key="search",
        bind="query-params",
        max_chars=_MAX_SEARCH,
        placeholder="name, group, title",
        label_visibility="collapsed",
        width=300,
    )
    _live(str(words or ""))


@st.fragment(run_every=_REFRESH)
def _live(words: str) -> None:
    with states.loading():
        reading = questions.inspections()
    found = states.value_or_notice(reading, "inspections", key="inspections")
    if found is None:
        return
    if not found:
        states.empty(
            "No inspection is in force: they are turned off by the configuration directory's "
            "inspections.yaml.",
            icon=":material/fact_check:",
        )
        return
    shown = [one for one in found if matches(f"{one['name']} {one['group']} {one['title']}", words)]
    with states.panel("Figures"):
        _figures(found)
    with states.panel("Firing"):
        _firing([one for one in shown if one["state"] in ("firing", "pending")])
    with states.panel("All"):
        _table(shown)


def _figures(found: Sequence[InspectionRow]) -> None:
    counts = {state: sum(one["state"] == state for one in found) for state in _ORDER}
    figures.draw(
        Figure(label=state.capitalize(), value=number(counts[state])) for state in _ORDER[:4]
    )
    others = [f"{counts[state]} {state}" for state in _ORDER[4:] if counts[state]]
    if others:
        st.caption(f"{', '.join(others)}. Not applicable: their metrics were never seen here.")


def _firing(found: Sequence[InspectionRow]) -> None:
    if not found:
        states.empty("None of what is measured fires.", icon=":material/check_circle:")
    for one in found:
        with st.container(border=True):
            _card(one)


def _card(one: InspectionRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(one["state"], color=_COLOURS.get(one["state"], "gray"))
        st.badge(one["urgency"], color="gray")
        st.markdown(f"**{plain(one['title'])}**", width="stretch")
        st.page_link(
            "app_pages/explore.py",
            label="Look closer",
            icon=":material/query_stats:",
            query_params={"q": one["expr"]},
        )
    for place in one["places"][:_SHOWN_PLACES]:
        st.markdown(f"- {place_words(place, one['unit'])}")
    if len(one["places"]) > _SHOWN_PLACES:
        st.caption(f"{len(one['places']) - _SHOWN_PLACES} more places")
    st.markdown(f"{plain(one['why'])} {plain(one['hint'])}")
    st.caption(f"{threshold(one)} for {duration(one['for_s'])} · {plain(one['source'])}")


def place_words(place: FiringPlace, unit: str) -> str:
    """Say where an inspection fires, since when, and how bad it is there."""
    frozen = ", nothing is measured there now" if place["frozen"] else ""
    where = plain(scope(place["scope"])) or "everywhere"
    return f"{where}: {quantity(place['value'], unit)} since {moment(place['since_ms'])}{frozen}"


def threshold(one: InspectionRow) -> str:
    """Say at which value an inspection fires."""
    above, below = one["above"], one["below"]
    parts = [f"above {quantity(above, one['unit'])}"] if above is not None else []
    parts += [f"below {quantity(below, one['unit'])}"] if below is not None else []
    return " or ".join(parts) or "fires by its expression"


def _table(found: Sequence[InspectionRow]) -> None:
    if not found:
        return
    st.subheader("All inspections", anchor=False)
    rows = sorted(found, key=lambda one: (_rank(one["state"]), one["group"], one["name"]))
    faulty = any(one["fault"] for one in rows)
    st.dataframe(
        [
            {
                "State": one["state"],
                "Inspection": one["title"],
                "Worst": quantity(one["value"], one["unit"]),
                "Fires": threshold(one),
                "Lines": one["lines"],
                "Group": one["group"],
                "Name": one["name"],
                **({"What is wrong with it": one["fault"] or ""} if faulty else {}),
            }
            for one in rows[:_TABLE_ROWS]
        ],
        hide_index=True,
        key="all-inspections",
        alt=f"{len(rows)} inspections",
    )


def _rank(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


page()
