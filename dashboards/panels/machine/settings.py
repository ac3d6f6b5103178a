"""What the server was set to, and where each value comes from."""

from __future__ import annotations

import streamlit as st

from dashboards import questions, states

_ORDER = ("command line", "environment", "file", "default")


def draw() -> None:
    """Draw the settings that somebody gave, all of them if asked."""
    st.subheader("Settings", anchor=False)
    every = st.toggle("With those that nobody set", key="every-setting", bind="query-params")
    found = states.value_or_notice(questions.settings(), "settings", key="settings")
    if found is None:
        return
    shown = [one for one in found if every or one["source"] != "default"]
    if not shown:
        states.empty(f"All {len(found)} settings are at their defaults.", icon=":material/tune:")
        return
    shown.sort(key=lambda one: _ORDER.index(one["source"]) if one["source"] in _ORDER else 0)
    st.dataframe(
        [
            {
                "Setting": one["name"],
                "Value": "–" if one["value"] is None else one["value"],
                "From": one["place"] or one["source"],
                "Default": one["default"] or "–",
                "Meaning": one["description"],
            }
            for one in shown
        ],
        hide_index=True,
        key="settings-in-force",
        alt=f"{len(shown)} settings",
    )
    st.caption(
        f"{len(shown)} of {len(found)}. A command line goes before the environment, that before "
        "`tocsin.toml`, that before the default."
    )
