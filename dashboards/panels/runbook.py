"""The runbook that was proposed, why, and how far its steps are."""

from __future__ import annotations

import streamlit as st

from dashboards import rights, states
from dashboards.markdown import code, plain
from dashboards.panels import incident_picker
from dashboards.panels.acting import asking
from tocsin.client.shapes import Incident, ProposedStep

_MARKS = {
    "done": ":green[:material/check_circle:]",
    "running": ":blue[:material/autorenew:]",
    "failed": ":red[:material/cancel:]",
    "skipped": ":gray[:material/block:]",
    "needs_approval": ":orange[:material/lock:]",
}
_OPEN = frozenset({"open", "pending"})
_WAITING = ":gray[:material/radio_button_unchecked:]"


def draw(incident: Incident) -> None:
    """Draw the proposed runbook; open steps can be ticked off."""
    st.markdown("**Proposed runbook**")
    runbook = incident["runbook"]
    if runbook is None:
        states.empty("No runbook in the library fits these findings.")
        return
    st.markdown(f":material/menu_book: {plain(runbook['title'])} · {code(runbook['name'])}")
    if runbook.get("why"):
        st.caption(f"Why this one: {plain(runbook['why'])}")
    for position, step in enumerate(runbook["steps"], start=1):
        _step(incident, position, step)


def _step(incident: Incident, position: int, step: ProposedStep) -> None:
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.markdown(_words(position, step), width="stretch")
        query = step["query"]
        if query:
            st.page_link(
                "app_pages/explore.py",
                label="Look",
                icon=":material/query_stats:",
                query_params={"q": query},
            )
        is_open = step["state"] in _OPEN and incident["status"] not in incident_picker.OVER
        if is_open and rights.may(rights.RESPOND):
            st.button(
                "Done",
                key=f"step-{step['id']}",
                icon=":material/check:",
                help="Tick this step off; it goes into the timeline",
                on_click=asking.give,
                args=(incident["id"], "set_step"),
                kwargs={"value": f"{step['id']}:done"},
            )


def _words(position: int, step: ProposedStep) -> str:
    state = step["state"]
    mark = _MARKS.get(state, _WAITING)
    detail = f"  \n:gray[{plain(step['detail'])}]" if step["detail"] else ""
    detail += f"  \n{code(step['command'])}" if step["command"] else ""
    worded = plain(state.replace("_", " ")) if state and state not in _OPEN else ""
    kind = f":gray-badge[{plain(step['kind'])}]"
    return f"{mark} **{position}\\. {plain(step['title'])}** {kind} {worded}{detail}"
