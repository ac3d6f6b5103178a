"""What a person can do to an incident, or why not; seen at once, then confirmed or taken back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from dashboards import rights, sources
from dashboards.markdown import plain
from dashboards.panels import incident_picker
from dashboards.panels.acting import (
    asking,
    escalating,
    handing_over,
    instant,
    intents,
    sending,
    sharing,
    silencing_here,
    watching,
)
from dashboards.panels.acting.asking import give, given, refuse
from dashboards.zone import clock
from tocsin.client.shapes import Incident

SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5")
STATUSES = ("triage", "investigating", "identified", "mitigated")
_MAX_NOTE = 2_000
_MAX_UPDATE = 3_000
_OVER = incident_picker.OVER
_REOPENABLE = frozenset({"resolved", "declined"})


def draw(
    incident: Incident, extra: Callable[[], None] = lambda: None, *, caption: str = ""
) -> None:
    """Draw the row of actions, ``extra`` among them; what is not possible says why.

    It is a part of its own: after a click it alone is drawn anew, before the server has answered.

    Args:
        incident: Which.
        extra: Draws more of them.
        caption: Stands below the row, where it is said what was asked and what became of it:
            that moves nothing under the cursor.
    """
    st.fragment(_bar, key=sending.FRAGMENT)(incident, extra, caption)


def _bar(incident: Incident, extra: Callable[[], None], caption: str) -> None:
    shown = intents.seen(incident, sending.intents())
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key="incident-actions"
    ):
        if rights.looks_only():
            extra()
            return
        _acknowledge(shown)
        handing_over.draw(shown)
        _update(shown)
        _note(shown["id"])
        _severity(shown)
        _status(shown)
        silencing_here.draw(shown)
        escalating.draw(shown)
        _resolve(shown)
        extra()
        sharing.draw(shown)
        instant.draw_keys()
        draw_actor()
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="incident-said"
    ):
        if caption:
            st.caption(caption, width="content")
        tell()
    sending.forget_what_stands(incident)


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
        width=130,
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


def tell() -> None:
    """Say what was asked and what became of it; a page does so once."""
    kind, text = st.session_state.pop(asking.SAID, ("", ""))
    if kind == "error":
        st.error(plain(text), icon=":material/block:")
    elif kind == "done":
        st.toast(plain(text), icon=":material/check:")
    watching.draw()
    instant.draw()


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
    with st.popover(
        "Resolve",
        icon=":material/check_circle:",
        key="resolve-popover",
        disabled=why_not is not None,
        help=why_not,
    ):
        st.text_input("What ended it, if that is known", key="resolve-text", max_chars=_MAX_NOTE)
        st.button(
            "It is over",
            key="resolve",
            type="primary",
            disabled=why_not is not None,
            help=why_not or "End the incident and write the post-mortem",
            on_click=_end,
            args=(incident["id"],),
        )
    if incident["status"] in _REOPENABLE:
        st.button(
            "Reopen",
            key="reopen",
            icon=":material/undo:",
            on_click=give,
            args=(incident["id"], "reopen"),
        )


def _end(incident_id: str) -> None:
    give(incident_id, "resolve", text=asking.taken("resolve-text", _MAX_NOTE))


def _update(incident: Incident) -> None:
    with (
        st.popover("Update", icon=":material/campaign:", key="update-popover"),
        st.form("update-form", clear_on_submit=True, border=False),
    ):
        st.text_area(
            "What those hear who are not in the room", key="update-text", max_chars=_MAX_UPDATE
        )
        st.form_submit_button(
            "Tell them", key="update-submit", on_click=_tell_them, args=(incident["id"],)
        )


def _tell_them(incident_id: str) -> None:
    if text := given("update-text", _MAX_UPDATE):
        give(incident_id, "update", text=text)
    else:
        refuse("An empty update was not sent.")


def _note(incident_id: str) -> None:
    with (
        st.popover("Note", icon=":material/edit_note:", key="note-popover"),
        st.form("note-form", clear_on_submit=True, border=False),
    ):
        st.text_area(
            "Note for the timeline",
            key="note-text",
            max_chars=_MAX_NOTE,
            help="@name tells a person of people.yaml",
        )
        st.text_input("When it was", key="note-at", placeholder="now, -10m or 14:05Z", max_chars=50)
        st.form_submit_button(
            "Add note", key="note-submit", on_click=_add_note, args=(incident_id,)
        )


def _severity(incident: Incident) -> None:
    with _choosing(incident, "Severity", ":material/priority_high:", "severity-popover"):
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


def _status(incident: Incident) -> None:
    with _choosing(incident, "Status", ":material/flag:", "status-popover"):
        for name in STATUSES:
            st.button(
                name.capitalize(),
                key=f"status-{name}",
                disabled=name == incident["status"],
                width="stretch",
                on_click=give,
                args=(incident["id"], "set_status"),
                kwargs={"value": name},
            )


def _choosing(incident: Incident, label: str, icon: str, key: str) -> PopoverContainer:
    over = incident["status"] in _OVER
    why_not = f"The incident is {incident['status']}" if over else None
    return st.popover(label, icon=icon, key=key, disabled=over, help=why_not)


def _add_note(incident_id: str) -> None:
    text, at = given("note-text", _MAX_NOTE), given("note-at", 50)
    if not text:
        refuse("An empty note was not added.")
    elif at:
        give(incident_id, "note", text=text, at=at)
    else:
        give(incident_id, "note", text=text)
