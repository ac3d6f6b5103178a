"""What became of findings: what rang nobody comes with its reason, the rest with its incident."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboards import states
from dashboards.markdown import plain
from dashboards.panels.alerts import firing
from dashboards.zone import moment
from tocsin.client.shapes import FindingDecision
from tocsin.client.wording import scope

_SHOWN = 60
_SILENT = {
    "suppressed": "held back",
    "recorded": "recorded only",
    "ended": "ended before",
    "joins": "joined a page",
    "joins_ended": "joined a page",
    "counted": "counted in a storm",
}
"""Outcomes with which nobody is rung anew, and how they are called."""


def draw(found: Sequence[FindingDecision], words: str) -> None:
    """Draw a line for each decision because of which nobody was rung anew."""
    quiet = [one for one in found if one["outcome"] in _SILENT]
    shown = [one for one in quiet if firing.matches(text_of(one), words)]
    if not shown:
        told = "Of the newest findings none stayed silent" if not quiet else "None is like that"
        states.empty(f"{told}; {len(found)} were looked at.", icon=":material/check_circle:")
        return
    st.caption(f"{len(shown)} of the newest {len(found)} decisions, newest first")
    for one in shown[:_SHOWN]:
        with st.container(border=True):
            _card(one)
    if len(shown) > _SHOWN:
        st.caption(f"{len(shown) - _SHOWN} more: narrow the search.")


def _card(one: FindingDecision) -> None:
    finding = one["finding"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(_SILENT[one["outcome"]], color="orange" if one["incident_id"] is None else "gray")
        st.markdown(f"**{plain(str(finding.get('title', '')))}**", width="stretch")
        if one["incident_id"]:
            st.page_link(
                "app_pages/war_room.py",
                label=one["incident_id"],
                icon=":material/e911_emergency:",
                query_params={"incident": one["incident_id"]},
            )
        firing.ask(one["finding_id"], one["id"])
    where = scope(finding.get("scope") or {})
    parts = [plain(str(finding.get("rule", ""))), plain(where), moment(one["time_ms"])]
    st.markdown(f"{plain(one['reason'])}  \n:small[{' · '.join(filter(None, parts))}]")


def text_of(one: FindingDecision) -> str:
    """Return what a search looks in."""
    finding = one["finding"]
    where = " ".join((finding.get("scope") or {}).values())
    return f"{one['finding_id']} {finding.get('title', '')} {one['reason']} {where}"
