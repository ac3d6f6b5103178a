"""Post-mortems: choose an incident that is over, read and take the document."""

from __future__ import annotations

import re

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import document
from dashboards.navigation import Page
from dashboards.panels import incident_picker

PAGE = Page(title="Post-mortems", icon=":material/article:", order=5)

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def page() -> None:
    """Draw the picker and the document."""
    with states.loading():
        reading = sources.incidents()
    incidents = states.value_or_notice(reading, "incidents", key="incidents")
    if incidents is None:
        return
    ended = [i for i in incidents if not incident_picker.is_open(i)]
    if not ended:
        states.empty(
            "No post-mortem yet: one is written when an incident is resolved.",
            icon=":material/article:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = incident_picker.choose(ended, fall_back=True)
        if chosen is not None:
            _downloads(chosen)
    if chosen is not None:
        _document(chosen)


def _document(incident_id: str) -> None:
    text = states.value_or_notice(
        sources.post_mortem(incident_id, "md"), "post-mortem", key="post-mortem"
    )
    if text is not None:
        with st.container(border=True, key="post-mortem"):
            st.markdown(document(text))


def _downloads(incident_id: str) -> None:
    for form, label, mime in (("md", "Markdown", "text/markdown"), ("html", "HTML", "text/html")):
        body = sources.post_mortem(incident_id, form).value
        st.download_button(
            label,
            body or "",
            file_name=f"post-mortem-{_UNSAFE.sub('-', incident_id)}.{form}",
            mime=mime,
            icon=":material/download:",
            key=f"download-{form}",
            disabled=body is None,
            help=None if body is not None else "The document can't be read just now",
            on_click="ignore",
        )


page()
