"""Escalation policies: whom each level would ring now, after how long, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from tocsin.client.response.oncall_shapes import Escalation, EscalationLevel
from tocsin.client.wording import duration


def draw(policies: Sequence[Escalation]) -> None:
    """Draw each policy with a line for each level."""
    st.subheader("Escalations", anchor=False)
    if not policies:
        states.empty(
            "No escalation policy: whoever is on call is rung once. Put one into the "
            "configuration directory's escalations/.",
            icon=":material/stairs:",
        )
    for one in policies:
        with st.container(border=True):
            st.markdown(f"**{plain(one['title'] or one['name'])}**")
            for place, level in enumerate(one["levels"], 1):
                st.markdown(f"{place}. {level_words(level)}")
            st.caption(_end_words(one))


def level_words(level: EscalationLevel) -> str:
    """Say whom a level rings, by which ways, when, and what of it names nobody."""
    when = f"after {duration(level['after_s'])}" if level["after_s"] else "at once"
    people = ", ".join(map(plain, level["rings"])) or "nobody"
    ways = f" by {', '.join(map(plain, level['ways']))}" if level["ways"] else ""
    channels = f"; tells {', '.join(map(plain, level['channels']))}" if level["channels"] else ""
    lacking = "".join(f"  \n:red-badge[lacks] {plain(one)}" for one in level["missing"])
    return f"{when}: {people}{ways}{channels}{lacking}"


def _end_words(one: Escalation) -> str:
    rounds = one["repeats"] + 1
    words = f"{rounds} round{'s' if rounds > 1 else ''}, over after "
    words += duration(one["exhausted_after_s"])
    if one["fallback"]:
        words += f"; then {plain(', '.join(one['fallback']))}"
    if one["acknowledge_timeout_s"] is not None:
        words += f"; begins again {duration(one['acknowledge_timeout_s'])} after an acknowledgement"
    return words
