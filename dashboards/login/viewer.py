"""Who looks at the page that is drawn now."""

from __future__ import annotations

import os
from html import escape

import streamlit as st

from dashboards.login import oidc
from dashboards.login.sessions import COOKIE, Session, Way, sessions, way
from dashboards.markdown import plain

API_TOKEN = "TOCSIN_API_TOKEN"  # noqa: S105 - the name of the variable that holds it

# In the same tab: Streamlit's own links open another.
_LINK = (
    '<p style="opacity:.75;font-size:.85rem">{told} · <a href="{path}" target="_self">{way}</a></p>'
)


def viewer() -> Session | None:
    """Return who looks, None when nobody has to sign in or the session has ended."""
    match way():
        case Way.TOKEN:
            return sessions().find(st.context.cookies.get(COOKIE, ""))
        case Way.OIDC:
            email = oidc.signed_in()
            token = os.environ.get(API_TOKEN, "")
            return Session(name=email, role="", token=token, person=email) if email else None
        case Way.NONE:
            return None


def asks_as() -> tuple[str, str]:
    """Return the token to ask with, and whom it speaks for: the process's own without a login."""
    if way() is Way.NONE:
        return os.environ.get(API_TOKEN, ""), ""
    found = viewer()
    return (found.token, found.person) if found else ("", "")


def let_in() -> bool:
    """Return whether the page may be drawn; if not, draw what leads to it.

    Without a session of the gate nothing of Streamlit is reached at all; a provider is Streamlit's
    own business, so that it has to be asked for here.
    """
    if way() is not Way.OIDC or oidc.signed_in():
        return True
    oidc.draw_door()
    return False


def draw() -> None:
    """Say who is signed in, with the way out."""
    found = viewer()
    if found is not None and way() is Way.OIDC:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Signed in as {plain(found.name)}", width="content")
            st.button("Sign out", on_click=st.logout, type="tertiary")
    elif found is not None:
        told = f"Signed in as {escape(found.name)} ({escape(found.role)})"
        st.html(_LINK.format(told=told, path="/logout", way="Sign out"))
    elif way() is Way.TOKEN:
        st.html(_LINK.format(told="You were signed out", path="/login", way="Sign in"))
