"""What is asked for more seldom: taking part, a task, a decline, a merge, a split, a correction."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import rights
from dashboards.panels import incident_picker
from dashboards.panels.acting import asking
from tocsin.client.shapes import Incident, IncidentSummary

_MILESTONES = (
    *("started", "detected", "acknowledged", "investigating"),
    *("identified", "mitigated", "resolved", "reviewed"),
)
_MAX_TEXT = 3_000


def draw(incident: Incident, incidents: Sequence[IncidentSummary]) -> None:
    """Draw the button behind which they are.

    Args:
        incident: Which.
        incidents: All there are: those into which it may be merged.
    """
    if incident["status"] == "merged" or not rights.may(rights.RESPOND):
        return
    others = [i for i in incidents if incident_picker.is_open(i) and i["id"] != incident["id"]]
    with st.popover("More", icon=":material/more_horiz:", key="more-popover"):
        what = st.selectbox("What", list(_FORMS), key="more-what", label_visibility="collapsed")
        with st.form("more-form", clear_on_submit=True, border=False):
            _fields(what, incident, others)
            st.form_submit_button(
                "Do it", key="more-submit", on_click=_do, args=(incident["id"], what)
            )


def _fields(what: str, incident: Incident, others: Sequence[IncidentSummary]) -> None:
    if what == "Merge into another":
        labels = {one["id"]: incident_picker.label(one) for one in others}
        st.selectbox(
            "Goes on in", list(labels), key="more-into", format_func=lambda i: labels.get(i, str(i))
        )
    elif what == "Split findings out":
        titles = {one["id"]: one["title"] for one in incident["findings"]}
        st.multiselect(
            "Findings",
            list(titles),
            key="more-findings",
            format_func=lambda i: titles.get(i, str(i)),
        )
    elif what == "Correct a milestone":
        st.selectbox("Milestone", _MILESTONES, key="more-milestone")
        st.text_input("When it was", key="more-at", placeholder="2026-03-01T14:05:00Z or -10m")
    if _FORMS[what]:
        st.text_area(_FORMS[what], key="more-text", max_chars=_MAX_TEXT)


_FORMS = {
    "Take part": "",
    "Leave": "",
    "Decline": "Why it is no incident",
    "Merge into another": "Why they are one",
    "Split findings out": "Why they are another's",
    "Correct a milestone": "Why the log is wrong",
}


def _do(incident_id: str, what: str) -> None:
    text = _given("text")
    if what == "Take part":
        asking.give(incident_id, "join")
    elif what == "Leave":
        asking.give(incident_id, "leave")
    elif what == "Decline":
        asking.give(incident_id, "decline", text=text)
    elif what == "Merge into another":
        asking.give(incident_id, "merge", text=text, value=_given("into"))
    elif what == "Split findings out":
        chosen = st.session_state.get("more-findings") or []
        asking.give(incident_id, "split", text=text, value="\n".join(chosen))
    else:
        milestone, at = _given("milestone"), _given("at")
        asking.give(incident_id, "correct_milestone", text=text, value=milestone, at=at)


def _given(name: str) -> str:
    return asking.given(f"more-{name}", _MAX_TEXT)
