"""Ringing whoever is next, without waiting until nobody has answered."""

from __future__ import annotations

import streamlit as st

from dashboards.markdown import plain
from dashboards.panels import incident_picker
from dashboards.panels.acting import asking
from dashboards.zone import moment
from tocsin.client.shapes import Incident

_MAX_REASON = 500


def draw(incident: Incident) -> None:
    """Draw the button behind which more people are rung."""
    over = incident["status"] in incident_picker.OVER
    with st.popover(
        "Escalate",
        icon=":material/notification_important:",
        key="escalate-popover",
        disabled=over,
        help=f"The incident is {incident['status']}" if over else None,
    ):
        st.caption(standing(incident))
        st.text_input("Why now", key="escalate-text", max_chars=_MAX_REASON)
        st.button(
            "Ring the next level",
            key="escalate",
            type="primary",
            on_click=_escalate,
            args=(incident["id"],),
        )


def standing(incident: Incident) -> str:
    """Return how the escalation stands, as Markdown."""
    found = incident["escalation"]
    if found is None:
        return "No escalation policy is named for it: those whom its route rings are rung again."
    level = f"level {found['level']} of {found['levels']}" if found["level"] else "nobody was rung"
    then = f"; next step {moment(found['next_step_ms'])}" if found["next_step_ms"] else ""
    who = f" ({plain(', '.join(found['who']))})" if found["who"] else ""
    return f"{plain(found['title'])}: {found['state']}, {level}{who}{then}"


def _escalate(incident_id: str) -> None:
    asking.give(incident_id, "escalate", text=asking.taken("escalate-text", _MAX_REASON))
