"""What this node tells of the cluster: for ``/health``, ``tocsin cluster status`` and the pages."""

from __future__ import annotations

from typing import Any

from tocsin.cluster.agreement.lease import LEAD
from tocsin.cluster.agreement.registry import Known, View
from tocsin.cluster.mirror.mirror import Mirror
from tocsin.cluster.opening import Cluster

ALONE: dict[str, Any] = {
    "shape": "one",
    "node": "",
    "wrong": [],
    "database": {"reachable": True, "failing_s": None, "reason": ""},
    "lead": {"holder": "", "token": 0, "since_ms": None, "mine": True, "speaks": True},
    "nodes": [],
    "copies": None,
}
"""Of one process: it leads, and nobody else has anything."""


def cluster_state(cluster: Cluster) -> dict[str, Any]:
    """Return what is known from memory, and what of it is wrong, in words."""
    agreement, view = cluster.agreement, cluster.agreement.view
    lease = agreement.lease()
    failing_s = agreement.failing_s()
    copies = None if cluster.doors is None else _copies(cluster.doors.mirror, view, agreement.me)
    held = lease.held(view.now_ms)
    return {
        "shape": cluster.place.shape.value,
        "node": agreement.me,
        "wrong": [
            *_wrong_of_database(agreement.failing),
            *_wrong_of_name(view, agreement.me),
            *_wrong_of_copies(copies),
        ],
        "database": {
            "reachable": failing_s is None,
            "failing_s": failing_s,
            "reason": agreement.failing,
        },
        "lead": {
            "holder": lease.holder if held else "",
            "token": lease.token,
            "since_ms": lease.since_ms if held else None,
            "mine": agreement.terms[LEAD].holds(),
            "speaks": cluster.speaks(),
        },
        "nodes": [_node(known, view, agreement.me) for known in view.nodes],
        "copies": copies,
    }


def _node(known: Known, view: View, me: str) -> dict[str, Any]:
    node = known.node
    lease = view.leases.get(LEAD)
    leads = lease is not None and lease.session == known.session and lease.held(view.now_ms)
    return {
        "name": node.name,
        "url": node.url,
        "version": node.version,
        "state": node.state.value,
        "alive": node.alive,
        "me": node.name == me,
        "leads": leads,
        "joined_ms": known.joined_ms,
        "heard_ago_s": round(max(0, view.now_ms - known.heard_ms) / 1_000, 1),
    }


def _copies(mirror: Mirror, view: View, me: str) -> dict[str, Any]:
    others = [known for known in view.nodes if known.node.name != me]
    owed, owed_bytes = mirror.owed
    kept = 2 if others and not mirror.is_behind else 1
    why = mirror.why if others else "no other node has joined yet"
    return {
        "kept": kept,
        "of": 2,
        "why": why if kept < 2 else "",
        "owed": owed,
        "owed_bytes": owed_bytes,
        "evicted": mirror.evicted,
        "sent": mirror.counts.sent,
        "refused": mirror.counts.refused,
        "lost": mirror.counts.lost,
    }


def _wrong_of_database(failing: str) -> list[str]:
    if not failing:
        return []
    return [f"nodes can't agree, each pages by itself if it must: {failing}"]


def _wrong_of_name(view: View, me: str) -> list[str]:
    if not view.rival:
        return []
    return [f"another process is called {me} as well: name each in TOCSIN_CLUSTER_NODE"]


def _wrong_of_copies(copies: dict[str, Any] | None) -> list[str]:
    if copies is None:
        return []
    found = []
    if copies["kept"] < copies["of"]:
        owed = f"; it is owed {copies['owed']} requests" if copies["owed"] else ""
        found.append(f"copies: {copies['kept']} of {copies['of']}: {copies['why']}{owed}")
    gone = copies["evicted"] + copies["lost"]
    if gone:
        found.append(f"{gone} requests will never reach the other node")
    return found
