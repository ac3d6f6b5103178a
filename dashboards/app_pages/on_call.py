"""On call: who is now and next, the coming weeks, gaps, who takes over, who carries how much."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states
from dashboards.navigation import Page
from dashboards.panels import actions
from dashboards.panels.on_call import escalation, overriding, rota

PAGE = Page(title="On call", icon=":material/support_agent:", order=3, group="Respond")

_REFRESH = "30s"
# As they stand in the address too.
_DAYS = {"1 week": 7, "2 weeks": 14, "4 weeks": 28, "8 weeks": 56}


def page() -> None:
    """Draw how far to look, the form of an override, and what keeps itself up to date."""
    st.header(PAGE.title, anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", key="rota-filters"):
        days = st.radio(
            "Days",
            list(_DAYS),
            index=1,
            horizontal=True,
            key="days",
            bind="query-params",
            label_visibility="collapsed",
        )
        actions.draw_actor()
    actions.tell()
    _live(_DAYS[str(days)])


@st.fragment(run_every=_REFRESH)
def _live(days: int) -> None:
    with states.loading():
        reading = questions.oncall(days)
    found = states.value_or_notice(reading, "schedules", key="schedules")
    if found is None:
        return
    if not found["schedules"]:
        states.empty(
            "No schedule yet: put one into the configuration directory's oncall/. Until then "
            "pages go to the channels of their routes, and ring nobody in particular.",
            icon=":material/event_busy:",
        )
    for one in found["schedules"]:
        with st.container(border=True), states.panel(one["title"] or one["name"]):
            rota.draw_now(one, found["now_ms"], days)
    if found["schedules"]:
        with states.panel("The coming weeks"):
            rota.draw_weeks(found)
        with states.panel("Load"):
            rota.draw_loads(found["schedules"])
        with states.panel("Overrides"):
            overriding.draw(found["schedules"])
    with states.panel("Escalations"):
        policies = states.value_or_notice(questions.escalations(), "escalations", key="escalations")
        escalation.draw(policies or ())


page()
