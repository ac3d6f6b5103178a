"""Who was told, and why others were not; where the post-mortem is."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from dashboards.panels import incident_picker, silencing
from dashboards.panels.alerts import path
from dashboards.zone import clock
from tocsin.client.shapes import Incident

_COLORS = {"sent": "green", "pending": "orange", "failed": "red", "unknown": "red"}


def draw(incident: Incident) -> None:
    """Draw one line a notification, then the way to the post-mortem."""
    st.markdown("**Notifications**")
    if not incident["notifications"]:
        states.empty("Nothing has been sent for this incident.")
    for sent in incident["notifications"]:
        color = _COLORS.get(sent["state"], "gray")
        when = f" · {clock(sent['sent_ms'])}" if sent["sent_ms"] is not None else ""
        reason = f" — {plain(sent['reason'])}" if sent["reason"] else ""
        state = f":{color}-badge[{plain(sent['state'])}]"
        st.markdown(f"{state} {plain(sent['channel'])}{when}{reason}")
    if st.toggle("Stage by stage: why somebody is told, or not", key=f"why-{incident['id']}"):
        path.draw(incident["id"])
    if incident_picker.is_open(incident):
        st.page_link(
            "app_pages/silences.py",
            label="Silence what is in it",
            icon=":material/notifications_off:",
            query_params={silencing.PARAMETER: silencing.matchers_of(incident["findings"])},
        )
    if incident["post_mortem"]:
        st.page_link(
            "app_pages/post_mortems.py",
            label="Read the post-mortem",
            icon=":material/article:",
            query_params={incident_picker.PARAMETER: incident["id"]},
        )
    else:
        states.empty("The post-mortem is written on resolution.", icon=":material/article:")
