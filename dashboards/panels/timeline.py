"""What happened, in order: when, what sort, who, and the words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import lines, plain
from tocsin.client.shapes import TimelineEntry
from tocsin.client.wording import clock

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
)


PARAMETER = "event"
"""In the address: the entry that it leads to."""


def draw(entries: Sequence[TimelineEntry], *, height: int, marked: str = "") -> None:
    """Draw the entries in a box of ``height`` pixels, newest first.

    Args:
        entries: In any order.
        height: Of the box.
        marked: Number of the entry that somebody linked to; it stands above the others.
    """
    with st.container(border=True, height=height, key="timeline"):
        st.markdown("**Timeline** · newest first, UTC")
        if not entries:
            states.empty("Nothing has happened yet.")
            return
        for entry in entries:
            if str(entry["seq"]) == marked:
                st.info(line(entry), icon=":material/link:")
        for entry in sorted(entries, key=lambda e: -e["seq"]):
            st.markdown(f"{line(entry)} [#]({address(entry)})")


def line(entry: TimelineEntry) -> str:
    """Return one entry as a line of Markdown."""
    text = lines(entry["text"]) or plain(entry["kind"])
    who = f" — *{plain(entry['actor'])}*" if entry["actor"] not in _MACHINE else ""
    return f"{icon(entry['kind'])} `{clock(entry['time_ms'])}` {text}{who}"


def address(entry: TimelineEntry) -> str:
    """Return the address that leads to one entry, below whatever name these pages have."""
    _, _, query = entry["link"].partition("?")
    return f"/war_room?{query}"


def icon(kind: str) -> str:
    """Return the icon for a kind of entry."""
    lowered = kind.lower()
    return next((mark for part, mark in _ICONS if part in lowered), ":material/circle:")
