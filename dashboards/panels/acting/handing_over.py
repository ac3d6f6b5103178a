"""Taking a role, or handing it over: two clicks."""

from __future__ import annotations

import streamlit as st

from dashboards.panels import incident_picker
from dashboards.panels.acting import asking
from tocsin.client.shapes import Incident

ROLES = ("commander", "deputy", "scribe", "liaison")
_MAX_NAME = 80


def draw(incident: Incident) -> None:
    """Draw the button behind which roles are taken and handed over."""
    over = incident["status"] in incident_picker.OVER
    with st.popover(
        "Hand over",
        icon=":material/swap_horiz:",
        key="role-popover",
        disabled=over,
        help=f"The incident is {incident['status']}" if over else None,
    ):
        st.selectbox("Role", ROLES, key="role", format_func=lambda role: _held(incident, role))
        st.selectbox(
            "To whom",
            people(incident),
            index=None,
            key="role-person",
            accept_new_options=True,
            placeholder="A name",
        )
        with st.container(horizontal=True):
            st.button(
                "Hand it over",
                key="role-hand",
                type="primary",
                on_click=_hand,
                args=(incident["id"],),
            )
            st.button("I take it", key="role-take", on_click=_take, args=(incident["id"],))


def people(incident: Incident) -> list[str]:
    """Return the people whom the incident names: who takes part, who has a role, who was rung."""
    known = [one["person"] for one in incident["responders"] if one["present"]]
    known += incident["roles"].values()
    known += incident["escalation"]["who"] if incident["escalation"] else []
    return sorted({name for name in known if name})


def _held(incident: Incident, role: str) -> str:
    person = incident["roles"].get(role)
    return f"{role} (now {person})" if person else f"{role} (nobody yet)"


def _hand(incident_id: str) -> None:
    if person := asking.given("role-person", _MAX_NAME):
        asking.give(incident_id, "assign", value=f"{_role()}:{person}")
    else:
        asking.refuse("Say who is to have the role, or take it yourself.")


def _take(incident_id: str) -> None:
    asking.give(incident_id, "assign", value=f"{_role()}:{asking.who_acts()}")


def _role() -> str:
    return str(st.session_state.get("role") or ROLES[0])
