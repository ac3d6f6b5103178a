"""Which incident a page is about: the one in the address, else the newest that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from dashboards.zone import moment
from tocsin.client.shapes import IncidentSummary

PARAMETER = "incident"
_PICKER = "incident-picker"
OVER = frozenset({"resolved", "closed", "declined", "merged"})
"""Statuses in which nobody has to do anything."""


def is_open(incident: IncidentSummary) -> bool:
    """Say whether somebody still has to do something."""
    return incident["status"] not in OVER


def default(incidents: Sequence[IncidentSummary], wanted: str | None) -> str | None:
    """Return the id to show: the wanted one if it exists, else the newest open one.

    Args:
        incidents: Newest first.
        wanted: What the address says.
    """
    if any(incident["id"] == wanted for incident in incidents):
        return wanted
    return next((incident["id"] for incident in incidents if is_open(incident)), None)


def choose(
    incidents: Sequence[IncidentSummary],
    *,
    fall_back: bool = False,
    width: int | Literal["stretch"] = 500,
) -> str | None:
    """Draw the picker and return the chosen id, None when nothing is open and nothing chosen.

    Args:
        incidents: Newest first.
        fall_back: Choose the newest one, open or not, when the address names none.
        width: Of the picker, pixels, or all there is.
    """
    if not incidents:
        return None
    ids = [incident["id"] for incident in incidents]
    chosen = default(incidents, st.query_params.get(PARAMETER))
    if chosen is None and fall_back:
        chosen = ids[0]
    labels = {incident["id"]: label(incident) for incident in incidents}
    st.session_state[_PICKER] = chosen
    st.selectbox(
        "Incident",
        ids,
        index=None,
        key=_PICKER,
        format_func=lambda incident_id: labels.get(incident_id, str(incident_id)),
        placeholder="No incident is open: choose a past one",
        label_visibility="collapsed",
        on_change=_to_address,
        args=(ids,),
        width=width,
    )
    return chosen


def label(incident: IncidentSummary) -> str:
    """Return an incident as one line of the picker."""
    opened = moment(incident["opened_ms"])
    return f"{incident['severity']} · {incident['status']} · {incident['title']} · {opened}"


def _to_address(ids: Sequence[str]) -> None:
    chosen = st.session_state.get(_PICKER)
    if not chosen:
        st.query_params.pop(PARAMETER, None)
    elif chosen in ids:
        st.query_params[PARAMETER] = chosen
    # Else a label of before came back, whose incident has moved on since: nobody chose anything.
