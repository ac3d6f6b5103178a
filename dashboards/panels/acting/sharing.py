"""Taking an incident elsewhere: Markdown for a chat, tables as CSV, the post-mortem as PDF."""

from __future__ import annotations

import re

import streamlit as st

from dashboards import sources
from dashboards.panels.acting import brief
from tocsin.client.shapes import Incident

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def draw(incident: Incident) -> None:
    """Draw the button behind which copies and exports are."""
    with st.popover("Share", icon=":material/share:", key="share-popover"):
        st.caption("Copy as Markdown, for Slack or any other chat")
        st.code(brief.in_markdown(incident, _address(incident)), language=None, wrap_lines=True)
        name = _UNSAFE.sub("-", incident["id"])
        with st.container(horizontal=True):
            st.download_button(
                "Timeline as CSV",
                brief.as_csv(brief.timeline_rows(incident)),
                file_name=f"{name}-timeline.csv",
                mime="text/csv",
                icon=":material/download:",
                key="timeline-csv",
                on_click="ignore",
            )
            if incident["post_mortem"]:
                st.download_button(
                    "Post-mortem as PDF",
                    sources.post_mortem_file(incident["id"], "pdf"),
                    file_name=f"post-mortem-{name}.pdf",
                    mime="application/pdf",
                    icon=":material/download:",
                    key="post-mortem-pdf",
                    on_click="ignore",
                )


def _address(incident: Incident) -> str:
    """Return the incident's address for good: that of its entries, without the entry."""
    links = [one["link"] for one in incident["timeline"]]
    address = re.sub(r"[?&]event=\d+", "", links[0]) if links else ""
    return address if address.startswith("http") else ""
