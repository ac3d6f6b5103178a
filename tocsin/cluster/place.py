"""What the settings say of this node's place in a cluster, and what they lack."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from collectors.errors import ConfigError
from tocsin.settings import Settings, Shape

MAX_NODE_NAME = 60
"""Characters of a node's name."""

MIN_LEASE_MS, MAX_LEASE_MS = 1_500, 10_000
"""Between them a lease lasts a step and a half: the next leader is there within three."""

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MAX_NODE_NAME - 1}}}")
_BEARER = "Bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of this node.

    Attributes:
        shape: Of the cluster: never one process alone.
        node: Name of this node.
        url: Where the others reach its API; empty: where it listens.
        token: What nodes show each other.
        database_url: Of the PostgreSQL in which they agree.
        lease_ms: Length of a lease.
    """

    shape: Shape
    node: str
    url: str
    token: str
    database_url: str
    lease_ms: int

    @property
    def authorization(self) -> str:
        """Header with which a node asks another."""
        return _BEARER + self.token

    def admits(self, authorization: str) -> bool:
        """Whether who asks with this header is a node of the cluster."""
        given = authorization.encode("utf-8", "surrogateescape")
        return secrets.compare_digest(given, self.authorization.encode())


def place_of(settings: Settings) -> Place | None:
    """Return the place of this node; None where there is one process.

    Raises:
        ConfigError: What a cluster needs is not set.
    """
    if settings.cluster is Shape.ONE:
        return None
    lacking = "; ".join(_lacking(settings))
    if lacking:
        raise ConfigError(f"cluster (TOCSIN_CLUSTER) = '{settings.cluster}': {lacking}")
    token = settings.cluster_token
    return Place(
        shape=settings.cluster,
        node=settings.cluster_node,
        url=settings.cluster_url.rstrip("/"),
        token=token.get_secret_value() if token else "",
        database_url=settings.database_url or "",
        lease_ms=min(MAX_LEASE_MS, max(MIN_LEASE_MS, settings.step.ms * 3 // 2)),
    )


def _lacking(settings: Settings) -> list[str]:
    """Return what must be set first, one sentence each."""
    found = []
    if not settings.cluster_node:
        found.append("name this node in TOCSIN_CLUSTER_NODE, each node another name")
    elif not _NAME.fullmatch(settings.cluster_node):
        found.append(
            f"TOCSIN_CLUSTER_NODE = {settings.cluster_node[:80]!r}: write letters, digits, '.', "
            f"'_' and '-', at most {MAX_NODE_NAME}"
        )
    if not (settings.database_url or "").startswith("postgresql"):
        found.append("nodes agree in PostgreSQL: give it to all of them in TOCSIN_DATABASE_URL")
    if settings.cluster_token is None or not settings.cluster_token.get_secret_value():
        found.append("give all nodes the same secret in TOCSIN_CLUSTER_TOKEN")
    if settings.cluster_url and not settings.cluster_url.startswith(("http://", "https://")):
        found.append("TOCSIN_CLUSTER_URL begins with http:// or https://")
    return found
