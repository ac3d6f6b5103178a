"""Shapes of what the API tells of a cluster, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict


class ClusterDatabase(TypedDict):
    """Whether the node that was asked reaches the database in which nodes agree."""

    reachable: bool
    failing_s: float | None
    reason: str


class ClusterLead(TypedDict):
    """Who leads: ``mine``, the node that was asked; it ``speaks`` if its findings reach people.

    ``since_ms`` is on the database's clock; None, and no holder, while nobody leads.
    """

    holder: str
    token: int
    since_ms: int | None
    mine: bool
    speaks: bool


class ClusterNode(TypedDict):
    """A node as it was when the database was last reached."""

    name: str
    url: str
    version: str
    state: str
    alive: bool
    me: bool
    leads: bool
    joined_ms: int
    heard_ago_s: float


class ClusterCopies(TypedDict):
    """How many nodes keep what comes now, and what the other still has to get.

    ``evicted`` and ``lost`` requests will never reach it; ``refused`` it did not want.
    """

    kept: int
    of: int
    why: str
    owed: int
    owed_bytes: int
    evicted: int
    sent: int
    refused: int
    lost: int


class ClusterState(TypedDict):
    """``GET /api/v2/cluster``; ``wrong`` says in words what is; no copies, nothing is mirrored."""

    shape: str
    node: str
    wrong: list[str]
    database: ClusterDatabase
    lead: ClusterLead
    nodes: list[ClusterNode]
    copies: ClusterCopies | None
