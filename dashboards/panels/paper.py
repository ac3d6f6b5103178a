"""A post-mortem on a page: where it stands, what it lacks, the document with its charts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from dashboards.markdown import document, plain
from dashboards.zone import moment
from tocsin.client.response.paper_shapes import (
    ActionItem,
    PostMortem,
    PostMortemList,
    PostMortemRow,
)

_CHART = re.compile(r"^!\[[^\n]*\]\([^\s()]*/post-mortem/charts/(\d+)\.svg\)$", re.MULTILINE)
_BADGES = {
    "draft": (":material/edit_note:", "gray"),
    "in_review": (":material/rate_review:", "blue"),
    "reviewed": (":material/task_alt:", "green"),
    "published": (":material/public:", "green"),
}


def draw_list(found: PostMortemList) -> None:
    """Draw all post-mortems with their stages, and say what is overdue."""
    if found["overdue"]:
        count = found["overdue"]
        st.warning(
            f"**{count} action item{'s are' if count > 1 else ' is'} overdue.** "
            "`tocsin postmortem actions list --state overdue` names them.",
            icon=":material/event_busy:",
        )
    rows = found["post_mortems"]
    if len(rows) > 1:
        st.dataframe([_row(one) for one in rows], hide_index=True)


def _row(one: PostMortemRow) -> dict[str, str | int]:
    return {
        "Incident": one["incident_id"],
        "Stage": one["stage"].replace("_", " "),
        "Blanks": one["blanks"],
        "Open actions": one["open_actions"],
        "Overdue": one["overdue_actions"],
        "Title": one["title"],
    }


def draw_standing(paper: PostMortem) -> None:
    """Draw the stage, who moved it, blanks, and what to look at."""
    icon, color = _BADGES.get(paper["stage"], (":material/article:", "gray"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(paper["stage"].replace("_", " ").capitalize(), icon=icon, color=color)  # type: ignore[arg-type]  # one of its colours
        st.caption(f"since {moment(paper['moved_ms'])}, by {plain(paper['moved_by'])}")
    if paper["missing"]:
        st.info(
            f"**{paper['blanks']} left for people:** {plain('; '.join(paper['missing']))}",
            icon=":material/edit_note:",
        )
    remarks = [*_stale(paper), *paper["remarks"], *_warned(paper)]
    if remarks:
        with st.expander(f"{len(remarks)} to look at", icon=":material/visibility:"):
            st.markdown("\n".join(f"- {plain(one)}" for one in remarks))
    overdue = [item for item in paper["actions"] if item["overdue"]]
    if overdue:
        st.warning(f"**Overdue:** {_listed(overdue)}", icon=":material/event_busy:")


def _stale(paper: PostMortem) -> list[str]:
    return [
        f"{one['title']}: since it was written, {', '.join(one['evidence_changed'])} changed"
        for one in paper["sections"]
        if one["evidence_changed"]
    ]


def _warned(paper: PostMortem) -> list[str]:
    return [f"{one['section']}: “{one['phrase']}” {one['advice']}" for one in paper["warnings"]]


def _listed(items: Sequence[ActionItem]) -> str:
    return "; ".join(
        f"{plain(item['title'])} ({plain(item['owner'] or 'nobody yet')}, due {item['due']})"
        for item in items
    )


def draw_document(paper: PostMortem) -> None:
    """Draw the document; our charts stand where it names them, no other image is shown."""
    parts = _CHART.split(paper["markdown"])
    for index, part in enumerate(parts):
        if index % 2 == 0:
            st.markdown(document(part))
            continue
        number = int(part)
        if 1 <= number <= len(paper["charts"]):
            chart = paper["charts"][number - 1]
            st.image(chart["svg"], alt=chart["title"])
