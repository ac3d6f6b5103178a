"""The runbook that was proposed, why, and how far its steps are."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.phrasing import code, plain
from tocsin.client import Runbook, RunbookStep

_MARKS = {
    "done": ":green[:material/check_circle:]",
    "running": ":blue[:material/autorenew:]",
    "failed": ":red[:material/cancel:]",
    "skipped": ":gray[:material/block:]",
    "needs_approval": ":orange[:material/lock:]",
}
_WAITING = ":gray[:material/radio_button_unchecked:]"


def draw(runbook: Runbook | None) -> None:
    """Draw the proposed runbook with its steps."""
    st.markdown("**Proposed runbook**")
    if runbook is None:
        states.empty("No runbook in the library fits these findings.")
        return
    st.markdown(f":material/menu_book: {plain(runbook['title'])} · {code(runbook['name'])}")
    if runbook.get("why"):
        st.caption(f"Why this one: {plain(runbook['why'])}")
    for position, step in enumerate(runbook["steps"], start=1):
        st.markdown(_step(position, step))


def _step(position: int, step: RunbookStep) -> str:
    state = step.get("state", "")
    mark = _MARKS.get(state, _WAITING)
    detail = f"  \n:gray[{plain(step['detail'])}]" if step["detail"] else ""
    for machine in (step.get("query"), step.get("command")):
        detail += f"  \n{code(machine)}" if machine else ""
    worded = plain(state.replace("_", " ")) if state else ""
    kind = f":gray-badge[{plain(step['kind'])}]"
    return f"{mark} **{position}\\. {plain(step['title'])}** {kind} {worded}{detail}"
