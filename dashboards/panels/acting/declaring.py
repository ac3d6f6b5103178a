"""Declaring an incident by hand: a person saw what nothing has found."""

from __future__ import annotations

import streamlit as st

from dashboards import rights
from dashboards.panels import actions
from dashboards.panels.acting import asking

_MAX_TITLE, _MAX_TEXT = 200, 3_000


def draw() -> None:
    """Draw the button with its form, for those who may."""
    if not rights.may(rights.RESPOND):
        return
    with (
        st.popover("Declare", icon=":material/campaign:", key="declare-popover"),
        st.form("declare-form", border=False),
    ):
        st.caption("Something is wrong that nothing has found? It rings as any other incident.")
        st.text_input("What is wrong", key="declare-title", max_chars=_MAX_TITLE)
        st.selectbox("How bad", actions.SEVERITIES, index=2, key="declare-severity")
        st.text_input("Service", key="declare-service", max_chars=_MAX_TITLE)
        st.text_input("Region", key="declare-region", max_chars=_MAX_TITLE)
        st.text_area("What is known", key="declare-text", max_chars=_MAX_TEXT)
        st.form_submit_button("Declare the incident", key="declare-submit", on_click=_declare)


def _declare() -> None:
    said = {name: str(st.session_state.get(f"declare-{name}") or "").strip() for name in _FIELDS}
    title = said.pop("title")
    if not title:
        asking.refuse("Say in a few words what is wrong.")
        return
    actor = asking.who_acts()
    asking.carry_out("declare", lambda api: api.declare(title, actor=actor, **said))


_FIELDS = ("title", "severity", "service", "region", "text")
