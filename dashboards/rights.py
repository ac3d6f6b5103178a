"""What the viewer may do, so that no page offers what the server would refuse."""

from __future__ import annotations

import streamlit as st

from dashboards import sources

RESPOND, COMMAND = "respond", "command"
"""Rights as the server names them."""
_NEEDS = {RESPOND: "responder", COMMAND: "commander"}


def may(right: str) -> bool:
    """Return whether the viewer has a right; what is not known is left to the server."""
    known = sources.whoami()
    return known is None or right in known["rights"]


def looks_only(right: str = RESPOND) -> bool:
    """Return whether the viewer lacks a right, and say so in the place of what needs it."""
    if may(right):
        return False
    st.caption(f":material/visibility: You may look; acting needs the role {_NEEDS[right]}")
    return True
