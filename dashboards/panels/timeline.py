"""What happened, in order: when, what sort, who, and the words."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
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
)


def draw(entries: Sequence[TimelineEntry], *, height: int) -> None:
    """Draw the entries in a box of ``height`` pixels, newest first."""
    with st.container(border=True, height=height, key="timeline"):
        st.markdown("**Timeline** · newest first, UTC")
        if not entries:
            states.empty("Nothing has happened yet.")
            return
        for entry in sorted(entries, key=lambda e: -e["seq"]):
            st.markdown(line(entry))


def line(entry: TimelineEntry) -> str:
    """Return one entry as a line of Markdown."""
    text = plain(entry["text"]) or plain(entry["kind"])
    who = f" — *{plain(entry['actor'])}*" if entry["actor"] not in _MACHINE else ""
    return f"{icon(entry['kind'])} `{clock(entry['time_ms'])}` {text}{who}"


def icon(kind: str) -> str:
    """Return the icon for a kind of entry."""
    lowered = kind.lower()
    return next((mark for part, mark in _ICONS if part in lowered), ":material/circle:")
