"""What the browser does by itself: says a click at once, and opens the row's parts by keys.

A click reaches Streamlit only when what it draws just then is done. Until then a small script of
ours says that it is on its way; and since popovers have no shortcuts, it opens them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboards.markdown import plain
from dashboards.panels.acting import intents, sending

KEYS = (
    ("a", "acknowledge", "Acknowledge"),
    ("h", "role-popover", "Hand over or take a role"),
    ("u", "update-popover", "Tell stakeholders"),
    ("n", "note-popover", "Write a note"),
    ("s", "severity-popover", "Severity"),
    ("t", "status-popover", "Status"),
    ("i", "silence-popover", "Silence"),
    ("e", "escalate-popover", "Escalate"),
    ("v", "resolve-popover", "Resolve"),
    ("m", "more-popover", "More"),
    ("x", "share-popover", "Share and export"),
    ("?", "keys-popover", "This list"),
)
"""Key, what of the row it opens, and what that is. C and R are Streamlit's."""

_OWN = frozenset({"acknowledge"})
"""Buttons whose shortcut Streamlit shows and obeys itself."""

_COMMANDS: dict[str, tuple[str, str]] = {
    **{key: (key, "") for key in ("acknowledge", "resolve", "reopen", "escalate")},
    **{f"severity-SEV{n}": ("set_severity", f"SEV{n}") for n in range(1, 6)},
    "update-submit": ("update", ""),
    "note-submit": ("note", ""),
    "task-submit": ("add_task", ""),
    "task-t*": ("change_task", ""),
    "step-*": ("set_step", ""),
}
_OTHERS = {
    "status-*": "status set by you",
    "role-take": "role taken by you",
    "role-hand": "role handed over by you",
    "more-submit": "asked for by you",
    "here-submit": "silenced by you",
    "silence-submit": "silenced by you",
    "declare-submit": "declared by you",
    "timeline-pin-it": "pin changed by you",
    "run-rehearse": "dry run asked for by you",
    "run-begin": "run asked for by you",
    **{
        f"{decision}-run-*": f"{words} by you"
        for decision, words in (
            ("approve", "approved"),
            ("retry", "another attempt asked for"),
            ("skip", "skipped"),
            ("done", "marked as done"),
            ("abort", "abort asked for"),
            ("roll_back", "roll back asked for"),
        )
    },
    "stage-*": "stage changed by you",
    "paper-*": "saved by you",
    "action-*": "action item changed by you",
    "public-link-*": "public link asked for by you",
    "revoke-*": "revoked by you",
}
"""What is said at once, by the keys of the buttons; a star stands for any ending."""

_LATE = "Not taken up by the page's server yet: is the connection there?"
_HERE = Path(__file__).parent


def draw_keys() -> None:
    """Draw the list of keys behind its button."""
    with st.popover("?", key="keys-popover", help="Keys, for all of this; or press ?"):
        for key, _, label in KEYS:
            st.markdown(f":gray-badge[{plain(key.upper())}] {label}")
        st.caption("Esc closes what is open; Tab leads through the row from left to right.")


def draw() -> None:
    """Draw what obeys the keys and says clicks at once; it takes no place."""
    _component()(
        key="instant",
        data={
            "words": _said_at_once(),
            "keys": {key: part for key, part, _ in KEYS if part not in _OWN},
            "late": _LATE,
            "round": sending.round_of_session(),
        },
        width="content",
        height="content",
    )


def _said_at_once() -> dict[str, str]:
    """Return what is said when a button is clicked, by its key or, before ``*``, its beginning."""
    asked = {key: intents.words(*said) for key, said in _COMMANDS.items()} | _OTHERS
    return {key: f"{said} · {intents.BEING_CONFIRMED}" for key, said in asked.items()}


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@st.cache_resource
def _component() -> Any:
    return st.components.v2.component(
        "tocsin_instant",
        html='<span data-said class="tocsin-said" role="status" aria-live="polite"></span>',
        css=_text("instant.css"),
        js=_text("instant.js"),
        isolate_styles=False,
    )
