"""What a person can do to an incident: acknowledge, note, severity, resolve; or why not."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboards import sources
from dashboards.markdown import plain
from dashboards.panels import incident_picker
from tocsin.client.errors import ClientError
from tocsin.client.shapes import Incident
from tocsin.client.wording import clock

SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5")
_MAX_NOTE = 2_000
_OVER = incident_picker.OVER
_REOPENABLE = frozenset({"resolved", "declined"})


def draw(incident: Incident, extra: Callable[[], None] = lambda: None) -> None:
    """Draw the row of actions, ``extra`` among them; what is not possible says why."""
    with st.container(horizontal=True, vertical_alignment="center", key="incident-actions"):
        _acknowledge(incident)
        _resolve(incident)
        _note(incident["id"])
        _severity(incident)
        extra()
        draw_actor()
    tell()


def draw_actor() -> None:
    """Ask who acts, unless that is known."""
    if acting := sources.acting():
        st.caption(f"as {plain(acting)}", width="content")
        return
    st.text_input(
        "Acting as",
        key="actor",
        placeholder="Your name",
        label_visibility="collapsed",
        persist_state="session",
        width=150,
        help="Goes into the timeline with what you do",
    )


def reason_against_acknowledging(incident: Incident) -> str | None:
    """Return why the incident can't be acknowledged, None when it can."""
    if incident["status"] in _OVER:
        return f"The incident is {incident['status']}"
    if incident["acknowledged_ms"] is not None:
        by = incident["acknowledged_by"] or "somebody"
        return f"Acknowledged by {by} at {clock(incident['acknowledged_ms'])}"
    return None


def reason_against_resolving(incident: Incident) -> str | None:
    """Return why the incident can't be resolved, None when it can."""
    if incident["status"] in _OVER:
        return f"The incident is already {incident['status']}"
    return None


def give(incident_id: str, command: str, *, text: str = "", value: str = "", **more: str) -> None:
    """Give a command in the name of who acts; what became of it is said at the next run."""

    def call(actor: str) -> Incident:
        api = sources.api()
        return api.command(incident_id, command, actor=actor, text=text, value=value, **more)

    carry_out(command.replace("_", " "), call)


def who_acts() -> str:
    """Return who acts: whoever is signed in, or said a name."""
    said = sources.acting() or str(st.session_state.get("actor") or "").strip()
    return said or "war room"


def carry_out(what: str, call: Callable[[str], Incident]) -> None:
    """Have ``call`` do something in the name of who acts, and show the incident it answers."""
    try:
        incident = call(who_acts())
    except ClientError as error:
        st.session_state["said"] = ("error", f"{what} was refused: {error.message}")
    else:
        st.session_state["said"] = ("done", f"{what}: done")
        # Who resolves an incident wants to go on reading it, not the calm room.
        st.query_params[incident_picker.PARAMETER] = incident["id"]
    sources.retry()


def _acknowledge(incident: Incident) -> None:
    why_not = reason_against_acknowledging(incident)
    st.button(
        "Acknowledge",
        key="acknowledge",
        icon=":material/front_hand:",
        type="primary" if why_not is None else "secondary",
        disabled=why_not is not None,
        help=why_not or "Take this incident; the page stops escalating",
        shortcut="A",
        on_click=give,
        args=(incident["id"], "acknowledge"),
    )


def _resolve(incident: Incident) -> None:
    why_not = reason_against_resolving(incident)
    st.button(
        "Resolve",
        key="resolve",
        icon=":material/check_circle:",
        disabled=why_not is not None,
        help=why_not or "End the incident and write the post-mortem",
        on_click=give,
        args=(incident["id"], "resolve"),
    )
    if incident["status"] in _REOPENABLE:
        st.button(
            "Reopen",
            key="reopen",
            icon=":material/undo:",
            on_click=give,
            args=(incident["id"], "reopen"),
        )


def _note(incident_id: str) -> None:
    with (
        st.popover("Note", icon=":material/edit_note:", key="note-popover"),
        st.form("note-form", clear_on_submit=True, border=False),
    ):
        st.text_area("Note for the timeline", key="note-text", max_chars=_MAX_NOTE)
        st.form_submit_button("Add note", on_click=_add_note, args=(incident_id,))


def _severity(incident: Incident) -> None:
    over = incident["status"] in _OVER
    with st.popover(
        "Severity",
        icon=":material/priority_high:",
        key="severity-popover",
        disabled=over,
        help=f"The incident is {incident['status']}" if over else None,
    ):
        for name in SEVERITIES:
            st.button(
                name,
                key=f"severity-{name}",
                disabled=name == incident["severity"],
                width="stretch",
                on_click=give,
                args=(incident["id"], "set_severity"),
                kwargs={"value": name},
            )


def _add_note(incident_id: str) -> None:
    text = str(st.session_state.get("note-text", "")).strip()
    if text:
        give(incident_id, "note", text=text[:_MAX_NOTE])
    else:
        st.session_state["said"] = ("error", "An empty note was not added.")


def tell() -> None:
    """Say what became of the last action."""
    kind, text = st.session_state.pop("said", ("", ""))
    if kind == "error":
        st.error(plain(text), icon=":material/block:")
    elif kind == "done":
        st.toast(plain(text), icon=":material/check:")
