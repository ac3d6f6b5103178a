"""What rules cost a step, and what takes the disk."""

from __future__ import annotations

import streamlit as st

from dashboards import states
from dashboards.zone import clock
from tocsin.client.own.shapes import Capacity
from tocsin.client.wording import duration, number, percent, size


def draw_rules(found: Capacity) -> None:
    """Draw the dearest rules."""
    st.subheader("What rules cost", anchor=False)
    rules = found["rules"]
    judged = [one for one in rules["dearest"] if one["steps"]]
    if not judged:
        states.empty("No rule has judged a step since the start.", icon=":material/rule:")
        return
    st.dataframe(
        [
            {
                "Rule": one["name"],
                "Kind": one["kind"],
                "A step": duration(one["a_step_s"]),
                "Share of all": percent(one["a_step_s"] / rules["a_step_s"])
                if rules["a_step_s"]
                else "",
                "Series": one["series"],
                "Steps judged": one["steps"],
            }
            for one in judged
        ],
        hide_index=True,
        key="rule-costs",
        alt=f"{len(judged)} rules with what a step of each costs",
    )
    st.caption(
        f"{number(rules['count'])} rules take {duration(rules['a_step_s'])} of a step of "
        f"{duration(found['step_ms'] / 1_000)}. What several rules ask is told of the one that "
        "asked first."
    )


def draw_disk(found: Capacity) -> None:
    """Draw what stands in the data directory, by its parts."""
    disk = found["disk"]
    st.subheader("What takes the disk", anchor=False)
    if disk is None:
        states.empty("The file system does not tell.", icon=":material/save:")
        return
    parts = sorted(disk["parts"].items(), key=lambda part: -part[1])
    if parts:
        st.dataframe(
            [{"Part": name, "Takes": size(count)} for name, count in parts],
            hide_index=True,
            key="disk-parts",
            alt=f"{len(parts)} parts of the data directory",
        )
    more = "" if disk["whole"] else "; there are more files than were counted"
    st.caption(f"{size(disk['free'])} are free, as of {clock(disk['looked_ms'])}{more}")
