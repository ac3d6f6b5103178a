"""Post-mortems: where each stands, what it lacks; read, write and take the document."""

from __future__ import annotations

import re

import streamlit as st

from dashboards import sources, states
from dashboards.navigation import Page
from dashboards.panels import actions, incident_picker, paper
from dashboards.panels.acting import editing

PAGE = Page(title="Post-mortems", icon=":material/article:", order=5, group="Respond")

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_FORMS = (
    ("md", "Markdown", "text/markdown"),
    ("html", "HTML", "text/html"),
    ("pdf", "PDF", "application/pdf"),
)


def page() -> None:
    """Draw the list, the picker and the document."""
    with states.loading():
        reading = sources.incidents()
        written = sources.post_mortems()
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
    if written.value is not None:
        paper.draw_list(written.value)
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = incident_picker.choose(ended, fall_back=True)
        if chosen is not None:
            _downloads(chosen)
        actions.draw_actor()
        actions.tell()
    if chosen is not None:
        _document(chosen)


def _document(incident_id: str) -> None:
    found = states.value_or_notice(sources.paper(incident_id), "post-mortem", key="post-mortem")
    if found is None:
        return
    with states.panel("Where it stands"):
        paper.draw_standing(found)
    read, write = st.tabs(["Read", "Write"], key="post-mortem-tabs")
    with read, st.container(border=True, key="post-mortem"), states.panel("Document"):
        paper.draw_document(found)
    with write, states.panel("Write"):
        editing.draw(found)


def _downloads(incident_id: str) -> None:
    for form, label, mime in _FORMS:
        st.download_button(
            label,
            # Made when somebody takes it: setting a PDF takes a moment.
            sources.post_mortem_file(incident_id, form),
            file_name=f"post-mortem-{_UNSAFE.sub('-', incident_id)}.{form}",
            mime=mime,
            icon=":material/download:",
            key=f"download-{form}",
            on_click="ignore",
        )


page()
