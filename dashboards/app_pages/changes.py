"""Changes: what was announced or noticed, how its service does since, and what broke after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboards import questions, sources, states
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels.alerts.firing import matches
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from dashboards.zone import moment
from tocsin.client.shapes import AnnouncedChange, IncidentSummary
from tocsin.client.wording import duration, number, scope

PAGE = Page(title="Changes", icon=":material/published_with_changes:", order=8)

# Kinds of changes that break something on purpose.
EXPERIMENTS = frozenset({"chaos", "experiment", "game-day", "gameday", "fault-injection"})

_REFRESH = "10s"
# As they stand in the address too.
_DAYS = {"1 day": 1, "7 days": 7, "30 days": 30}
_VIEWS = ("all", "compared", "experiments")
_MAX_SEARCH = 200
_SHOWN = 80
_AFTER_MS = 3_600_000


def page() -> None:
    """Draw the filters, which keep what is chosen, and the list, which keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="change-filters"):
        days = st.radio(
            "Of the last",
            list(_DAYS),
            horizontal=True,
            key="days",
            bind="query-params",
        )
        view = st.radio(
            "Which",
            _VIEWS,
            horizontal=True,
            key="view",
            bind="query-params",
        )
        words = st.text_input(
            "Search",
            key="search",
            bind="query-params",
            max_chars=_MAX_SEARCH,
            placeholder="service, words, kind",
            width=240,
        )
    _live(_DAYS[str(days)], str(view), str(words or ""))


@st.fragment(run_every=_REFRESH)
def _live(days: int, view: str, words: str) -> None:
    with states.loading():
        reading = questions.changes(days)
    found = states.value_or_notice(reading, "changes", key="changes")
    if found is None:
        return
    if not found:
        states.empty(
            f"No change within {days} d. Have whatever deploys say so with `tocsin changes "
            "announce`; new versions in spans are noticed without.",
            icon=":material/published_with_changes:",
        )
        return
    incidents = states.value_or_notice(sources.incidents(), "incidents", key="incidents") or []
    with states.panel("Changes"):
        _figures(found)
        _list([one for one in reversed(found) if wanted(one, view, words)], incidents)


def wanted(one: AnnouncedChange, view: str, words: str) -> bool:
    """Say whether a change is to be shown."""
    if view == "compared" and not one.get("compared"):
        return False
    if view == "experiments" and one["kind"] not in EXPERIMENTS:
        return False
    return matches(f"{one['kind']} {one['summary']} {one['service']} {scope(one['scope'])}", words)


def _figures(found: Sequence[AnnouncedChange]) -> None:
    services = {one["service"] for one in found if one["service"]}
    compared = sum(bool(one.get("compared")) for one in found)
    experiments = sum(one["kind"] in EXPERIMENTS for one in found)
    meaning = "How the service does since, against before; from its spans"
    figures.draw(
        [
            Figure(label="Changes", value=number(len(found))),
            Figure(label="Services changed", value=number(len(services))),
            Figure(label="Compared", value=number(compared), meaning=meaning),
            Figure(label="Experiments", value=number(experiments)),
        ]
    )


def _list(shown: Sequence[AnnouncedChange], incidents: Sequence[IncidentSummary]) -> None:
    if not shown:
        states.empty("None of them is like that.", icon=":material/search_off:")
    for one in shown[:_SHOWN]:
        with st.container(border=True):
            _card(one, followed_by(one, incidents))
    if len(shown) > _SHOWN:
        st.caption(f"{len(shown) - _SHOWN} more: narrow the search.")


def _card(one: AnnouncedChange, after: Mapping[str, int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(one["kind"] or "change", color="violet" if one["kind"] in EXPERIMENTS else "blue")
        st.markdown(f"**{plain(one['summary'])}**", width="stretch")
        if one["url"].startswith(("https://", "http://")):
            st.link_button("Read more", one["url"], icon=":material/open_in_new:", type="tertiary")
    where = [one["service"], *(v for k, v in one["scope"].items() if k != "service.name")]
    st.caption(" · ".join(filter(None, (*map(plain, where), times(one)))))
    if verdict := one.get("compared"):
        st.markdown(f":material/compare_arrows: {plain(verdict)}")
    for incident, wait_ms in after.items():
        st.page_link(
            "app_pages/war_room.py",
            label=f"{incident} opened {duration(wait_ms / 1_000)} later",
            icon=":material/e911_emergency:",
            query_params={"incident": incident},
        )


def times(one: AnnouncedChange) -> str:
    """Say when a change was made, and how long it took where that was told."""
    end_ms = one.get("end_ms")
    took = "" if end_ms is None else f", took {duration((end_ms - one['time_ms']) / 1_000)}"
    by = f", told by {plain(one['author'])}" if one["author"] else ""
    return f"{moment(one['time_ms'])}{took}{by}"


def followed_by(one: AnnouncedChange, incidents: Sequence[IncidentSummary]) -> dict[str, int]:
    """Return the incidents that opened within an hour after a change, and how long after.

    Nearness proves nothing; an incident that is known to be elsewhere is left out.
    """
    found = {}
    for incident in incidents:
        wait_ms = incident["opened_ms"] - one["time_ms"]
        shared = incident["scope"].keys() & one["scope"].keys()
        elsewhere = any(incident["scope"][key] != one["scope"][key] for key in shared)
        if 0 <= wait_ms <= _AFTER_MS and not elsewhere:
            found[incident["id"]] = wait_ms
    return found


page()
