"""Silencing what an incident is about: two clicks, with matchers and a reason that stand ready."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.panels import incident_picker, silencing
from tocsin.client.shapes import Incident

_FIELDS = silencing.Fields(prefix="here")


def draw(incident: Incident) -> None:
    """Draw the button behind which the incident's findings are silenced."""
    over = incident["status"] in incident_picker.OVER
    with st.popover(
        "Silence",
        icon=":material/notifications_off:",
        key="silence-popover",
        disabled=over,
        help=f"The incident is {incident['status']}" if over else None,
    ):
        with st.form("silence-here-form", border=False, enter_to_submit=False):
            silencing.draw_fields(
                _FIELDS,
                matchers=silencing.matchers_of(incident["findings"]),
                reason=f"known: {incident['id']}",
            )
        found = silencing.hidden(_FIELDS)
        if found is not None:
            with states.panel("Preview"):
                silencing.draw_hidden(found)
