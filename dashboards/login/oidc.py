"""Signing in at a provider of OpenID Connect, by Streamlit's own means."""

from __future__ import annotations

import streamlit as st


def signed_in() -> str:
    """Return the e-mail address that the provider vouches for, empty if there is none.

    An address that somebody merely claims is none.
    """
    if not st.user.is_logged_in or st.user.get("email_verified") is not True:
        return ""
    return str(st.user.get("email") or "").strip().lower()


def draw_door() -> None:
    """Draw what who has not signed in sees, and nothing else."""
    st.title("tocsin")
    if st.user.is_logged_in:
        st.error(
            "Your provider did not vouch for an e-mail address: ask whoever runs it.",
            icon=":material/block:",
        )
        st.button("Sign out", on_click=st.logout)
    else:
        st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
