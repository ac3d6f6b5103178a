"""What most likely caused it, who is on it, and what to do next: three answers side by side."""

from __future__ import annotations

import streamlit as st

from dashboards.markdown import plain
from dashboards.zone import clock
from tocsin.client.response.screen_shapes import Cause, NextStep, People, Screen

_ANSWER_PX = 300
_MAX_LINES = 1
VIEW = "view"
_GOES_TO = {
    "decide": ("Runbook", "Decide"),
    "runbook": ("Runbook", "Open the runbook"),
    "roll_back": ("Runbook", "Choose a runbook"),
    "look": ("Evidence", "See the evidence"),
    "watch": ("Charts", "See the charts"),
    "learn": ("Notifications", "See what was told"),
}


def draw(screen: Screen) -> None:
    """Draw the three answers."""
    with st.grid(3, min_column_width=_ANSWER_PX, gap="xsmall", key="room-answers"):
        with st.container(border=True, height="stretch", key="answer-cause"):
            st.markdown(_together(cause_lines(screen["cause"])))
        with st.container(border=True, height="stretch", key="answer-people"):
            st.markdown(_together(people_lines(screen["people"])))
        with st.container(border=True, height="stretch", gap="xsmall", key="answer-next"):
            _next(screen["next"])


def cause_lines(cause: Cause) -> list[str]:
    """Return what is suspected, with what speaks for it and against it, a line each.

    A suspect change stands in full; a page has one line for and one against, the evidence all.
    """
    first, *more = cause["why"] if cause["is_suspect"] else [cause["words"], *cause["why"]]
    said = [f"**Likely cause** · {plain(first)}"]
    change = cause["change"]
    if change is not None and change["url"]:
        said[0] += f" · [{clock(change['time_ms'])}]({change['url']})"
    said += [f":small[for: {plain(why)}]" for why in more[:_MAX_LINES]]
    return said + [f":small[against: {plain(why)}]" for why in cause["against"][:_MAX_LINES]]


def people_lines(people: People) -> list[str]:
    """Return who is on it, a line each."""
    color = "green" if people["is_taken"] else "red"
    said = [f"**Who is on it** · :{color}[{plain(people['taken'])}]"]
    if people["roles"]:
        said.append(plain(people["roles"][:1].upper() + people["roles"][1:]))
    others = (people["on_call"], people["rung"])
    return said + [f":small[{plain(one)}]" for one in others if one]


def _together(said: list[str]) -> str:
    return "  \n".join(said)


def _next(step: NextStep) -> None:
    why = f":small[why: {plain(step['why'])}]"
    st.markdown(_together([f"**Next** · {plain(step['text'])}", why]))
    view, label = _GOES_TO.get(step["doing"], _GOES_TO["look"])
    if st.button(
        label,
        key="next-step",
        type="primary",
        icon=":material/arrow_forward:",
        on_click=show,
        args=(view,),
    ):
        st.rerun()  # the tabs stand outside of the fragment


def show(view: str) -> None:
    """Open one of the views below the first screen."""
    st.session_state[VIEW] = view
