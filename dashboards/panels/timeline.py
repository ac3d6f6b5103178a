"""What happened, in order: when, what sort, who, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

import streamlit as st

from dashboards import rights, states, zone
from dashboards.markdown import lines, plain
from dashboards.panels import incident_picker
from dashboards.panels.acting import asking, filtering
from dashboards.zone import clock
from tocsin.client.shapes import TimelineEntry
from tocsin.client.wording import trimmed

_MACHINE = frozenset({"", "tocsin"})
_ICONS = (
    ("note", ":material/edit_note:"),
    ("acknowledg", ":material/front_hand:"),
    ("resolv", ":material/check_circle:"),
    ("reopen", ":material/undo:"),
    ("open", ":material/e911_emergency:"),
    ("sever", ":material/priority_high:"),
    ("status", ":material/flag:"),
    ("notif", ":material/notifications_active:"),
    ("page", ":material/notifications_active:"),
    ("finding", ":material/troubleshoot:"),
    ("signal", ":material/troubleshoot:"),
    ("runbook", ":material/menu_book:"),
    ("step", ":material/menu_book:"),
    ("post", ":material/article:"),
    ("task", ":material/task_alt:"),
    ("update", ":material/campaign:"),
    ("merge", ":material/merge:"),
    ("took", ":material/merge:"),
    ("split", ":material/call_split:"),
    ("declin", ":material/do_not_disturb_on:"),
    ("milestone", ":material/schedule:"),
    ("respond", ":material/group:"),
    ("mention", ":material/alternate_email:"),
    ("pinned", ":material/keep:"),
    ("escalat", ":material/notification_important:"),
)


PARAMETER = "event"
"""In the address: the entry that it leads to."""


_MAX_SHOWN = 200
_MAX_WORDS = 100
_MAX_LABEL = 80


def draw(entries: Sequence[TimelineEntry], *, height: int, marked: str = "") -> None:
    """Draw the entries in a box of ``height`` pixels, newest first.

    It is a part of its own: a filter draws it alone anew.

    Args:
        entries: In any order.
        height: Of the box.
        marked: Number of the entry that somebody linked to; it stands above the others.
    """
    st.fragment(_draw)(tuple(entries), height, marked)


def _draw(entries: Sequence[TimelineEntry], height: int, marked: str) -> None:
    with st.container(border=True, height=height, key="timeline"):
        with st.container(horizontal=True, vertical_alignment="center", key="timeline-bar"):
            st.markdown(f"**Timeline** · newest first, {zone.label()}")
            found = _filtered(entries)
            _pinning(entries)
        if not entries:
            states.empty("Nothing has happened yet.")
            return
        for entry in entries:
            if str(entry["seq"]) == marked:
                st.info(line(entry), icon=":material/link:")
        for entry in filtering.pinned(entries):
            st.markdown(f":material/keep: {_linked(entry)}")
        if not found:
            states.empty("No entry fits the filter.", icon=":material/filter_alt:")
        st.markdown("\n\n".join(map(_linked, found[:_MAX_SHOWN])))
        if len(found) > _MAX_SHOWN:
            rest = len(found) - _MAX_SHOWN
            st.caption(f"{rest} older ones are not shown: filter, or take all as CSV (Share)")


def _filtered(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Draw what narrows the timeline down, and return what is left."""
    with st.popover("Filter", icon=":material/filter_alt:", key="timeline-filter"):
        groups = st.pills(
            "Kinds", filtering.groups_in(entries), selection_mode="multi", key="timeline-kinds"
        )
        who = st.selectbox(
            "By whom",
            filtering.people_in(entries),
            index=None,
            key="timeline-who",
            placeholder="Anybody",
        )
        words = st.text_input("Words", key="timeline-words", max_chars=_MAX_WORDS)
    found = filtering.matching(entries, groups=groups, who=who, words=words)
    if len(found) < len(entries):
        st.badge(f"{len(found)} of {len(entries)}", color="orange")
    return found


def _pinning(entries: Sequence[TimelineEntry]) -> None:
    """Draw what keeps an entry in view, or lets it go."""
    if not rights.may(rights.RESPOND):
        return
    if not entries or not (incident_id := _incident_of(entries[0])):
        return
    pinned = [entry["seq"] for entry in filtering.pinned(entries)]
    labels = {
        entry["seq"]: trimmed(f"{clock(entry['time_ms'])} {entry['text']}", _MAX_LABEL, "…")
        for entry in filtering.matching(entries)[:_MAX_SHOWN]
    }
    with st.popover("Pin", icon=":material/keep:", key="timeline-pin"):
        number = st.selectbox(
            "Which entry",
            [*labels],
            key="timeline-entry",
            format_func=lambda seq: labels.get(seq, str(seq)),
        )
        off = number in pinned
        st.button(
            "Take the pin off" if off else "Pin it",
            key="timeline-pin-it",
            on_click=asking.give,
            args=(incident_id, "unpin" if off else "pin"),
            kwargs={"value": str(number)},
        )


def line(entry: TimelineEntry) -> str:
    """Return one entry as a line of Markdown."""
    text = lines(entry["text"]) or plain(entry["kind"])
    who = f" — *{plain(entry['actor'])}*" if entry["actor"] not in _MACHINE else ""
    at_ms = filtering.happened_ms(entry)
    written = f" (written {clock(entry['time_ms'])})" if at_ms != entry["time_ms"] else ""
    return f"{icon(entry['kind'])} `{clock(at_ms)}` {text}{who}{written}"


def _linked(entry: TimelineEntry) -> str:
    return f"{line(entry)} [#]({address(entry)})"


def address(entry: TimelineEntry) -> str:
    """Return the address that leads to one entry, below whatever name these pages have."""
    _, _, query = entry["link"].partition("?")
    return f"/war_room?{query}"


def _incident_of(entry: TimelineEntry) -> str:
    """Return the incident to which an entry's link leads, empty if it leads to none."""
    _, _, query = entry["link"].partition("?")
    return parse_qs(query).get(incident_picker.PARAMETER, [""])[0]


def icon(kind: str) -> str:
    """Return the icon for a kind of entry."""
    lowered = kind.lower()
    return next((mark for part, mark in _ICONS if part in lowered), ":material/circle:")
