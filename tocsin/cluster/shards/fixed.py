"""Nodes that are named when a process starts, for tests: ``a=http://...,b=http://...``.

The first leads. Nobody is known to be dead: who does not answer is found out by asking.
"""

from __future__ import annotations

import os

from collectors.cluster.members import FixedMembership, Node
from tocsin.cluster.shards.opening import Joining
from tocsin.settings import Settings, Shape

_NODES = "TOCSIN_TEST_CLUSTER_NODES"


def fixed_joining(settings: Settings) -> Joining | None:
    """Return what it takes to be one of the shards that a test has named; None: it has not."""
    named = os.environ.get(_NODES, "")
    if settings.cluster is not Shape.SHARDS or not named:
        return None
    pairs = [one.partition("=") for one in named.split(",")]
    nodes = tuple(Node(name=name, url=url) for name, _, url in pairs)
    membership = FixedMembership(me=settings.cluster_node, known=nodes)
    token = settings.cluster_token.get_secret_value() if settings.cluster_token else ""
    first = nodes[0].name
    return Joining(membership=membership, token=token, leads=lambda: settings.cluster_node == first)
