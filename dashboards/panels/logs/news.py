"""Which patterns of lines are new since something began, or have grown: with a line of each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from tocsin.client.log_shapes import ChangedPattern
from tocsin.client.shapes import Incident
from tocsin.client.wording import clock, number

_SHOWN = 5
_SETTLE_MS = 60_000
"""Impact is not known to the second: what was written a minute before it counts as well."""
_MAX_CHARS = 300
_BADGES = {"fatal": "violet", "error": "red", "warn": "orange"}


def draw_since(incident: Incident) -> None:
    """Draw what is new in the lines of an incident's services since its impact began."""
    st.markdown("**Log lines**")
    start_ms = incident["impact_start_ms"] - _SETTLE_MS
    end_ms = incident["mitigated_ms"] or incident["resolved_ms"] or sources.now_ms()
    reading = sources.log_patterns(start_ms, end_ms, tuple(incident["services"]))
    found = states.value_or_notice(reading, "log lines", key="log-news")
    if found is None:
        return
    with states.panel("Log lines"):
        for note in found["notes"]:
            states.empty(plain(note).capitalize() + ".")
        if not found["new"] and not found["grew"] and not found["notes"]:
            states.empty("No pattern of lines is new or more frequent since the impact began.")
        _listed("new since", found["new"])
        _listed("grew since", found["grew"])


def _listed(what: str, patterns: Sequence[ChangedPattern]) -> None:
    for one in patterns[:_SHOWN]:
        color = _BADGES.get(one["severity"], "gray")
        times = f"{number(one['count'])} times"
        if one["expected"]:
            times += f", {number(one['expected'])} expected"
        sample = one["sample"]
        st.markdown(
            f":{color}-badge[{what}] **{plain(one['service'])}** {plain(one['severity'])}, "
            f"{times}, first {clock(one['first_ms'])}"
        )
        st.code(sample["body"][:_MAX_CHARS], language=None, wrap_lines=True)
        with st.container(horizontal=True):
            st.page_link(
                "app_pages/logs.py",
                label="Lines of this pattern",
                icon=":material/receipt_long:",
                query_params={"pattern": one["pattern"], "service": one["service"]},
            )
            if sample["trace_id"]:
                st.page_link(
                    "app_pages/traces.py",
                    label="Trace of this line",
                    icon=":material/account_tree:",
                    query_params={"trace": sample["trace_id"]},
                )
