"""Asking the server for something in the name of who acts; seen at once."""

from __future__ import annotations

import streamlit as st

from dashboards import sources
from dashboards.panels import incident_picker
from dashboards.panels.acting import sending
from dashboards.panels.acting.intents import Intent
from dashboards.panels.acting.sending import Call

SAID = "said"
"""Where a session keeps what is to be said at the next run: how, and in which words."""


def who_acts() -> str:
    """Return who acts: whoever is signed in, or said a name."""
    said = sources.acting() or str(st.session_state.get("actor") or "").strip()
    return said or "war room"


def give(incident_id: str, command: str, *, text: str = "", value: str = "", **more: str) -> None:
    """Give a command in the name of who acts."""
    who = who_acts()
    # Whoever resolves an incident goes on reading it: not the calm room.
    st.query_params[incident_picker.PARAMETER] = incident_id
    intent = Intent(
        what=command.replace("_", " "),
        asked_ms=sources.now_ms(),
        incident_id=incident_id,
        command=command,
        who=who,
        value=value,
        text=text,
    )
    sending.begin(
        intent,
        lambda api: api.command(incident_id, command, actor=who, text=text, value=value, **more),
    )


def carry_out(what: str, call: Call, *, incident_id: str = "") -> None:
    """Have ``call`` do something that is no command of an incident, or of none yet."""
    who = who_acts()
    intent = Intent(what=what, asked_ms=sources.now_ms(), who=who, incident_id=incident_id)
    sending.begin(intent, call)


def refuse(text: str) -> None:
    """Say that nothing was sent, and why."""
    sending.count()
    st.session_state[SAID] = ("error", text)


def given(key: str, longest: int) -> str:
    """Return what stands in a text field, without blanks around it and not longer."""
    return str(st.session_state.get(key) or "").strip()[:longest]


def taken(key: str, longest: int) -> str:
    """Return the same, and leave the field empty: the words belong to what is asked now."""
    text = given(key, longest)
    st.session_state[key] = ""
    return text
