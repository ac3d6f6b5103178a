"""The nodes of a cluster: who leads, who keeps copies, and what the other still has to get."""

from __future__ import annotations

import streamlit as st

from dashboards.markdown import plain
from dashboards.panels.machine import figures
from dashboards.panels.machine.figures import Figure
from tocsin.client.own.cluster_shapes import ClusterState
from tocsin.client.wording import moment, number, size


def draw_figures(state: ClusterState) -> None:
    """Draw who leads and who keeps copies."""
    lead, copies = state["lead"], state["copies"]
    since = f"since {moment(lead['since_ms'])}, token {lead['token']}" if lead["since_ms"] else ""
    reached = "reached" if state["database"]["reachable"] else "not reached"
    drawn = [
        Figure(label="Leads", value=lead["holder"] or "nobody", meaning=since),
        Figure(label="PostgreSQL", value=reached, meaning=state["database"]["reason"]),
    ]
    if copies is not None:
        kept = f"{copies['kept']} of {copies['of']}"
        owed = f"{number(copies['owed'])} requests"
        drawn.append(Figure(label="Copies", value=kept, meaning=copies["why"]))
        drawn.append(Figure(label="Owed", value=owed, meaning=size(copies["owed_bytes"])))
    figures.draw(drawn)
    st.caption(f"As {plain(state['node'])} knows it")


def draw_wrong(state: ClusterState) -> None:
    """Draw what is not as it should be."""
    for line in state["wrong"]:
        st.markdown(f":red-badge[:material/error:] {plain(line)}")


def draw_nodes(state: ClusterState) -> None:
    """Draw a row for each node."""
    rows = [
        {
            "Node": node["name"],
            "Leads": "yes" if node["leads"] else "",
            "State": node["state"],
            "Heard of": "now" if node["alive"] else f"{number(node['heard_ago_s'])} s ago",
            "Version": node["version"],
            "Address": node["url"],
            "Since": moment(node["joined_ms"]),
        }
        for node in state["nodes"]
    ]
    alt = f"{len(rows)} nodes"
    st.dataframe(rows, hide_index=True, key="cluster-nodes", alt=alt)
