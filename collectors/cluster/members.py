"""Which nodes make up a cluster, as one of them knows it at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class NodeState(StrEnum):
    """What a node was told to do; that it may be dead is another question."""

    ACTIVE = "active"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node.

    Attributes:
        name: What the others call it.
        url: Where they reach its API.
        state: What it was told.
        alive: Whether it was heard of lately. Not known is not dead: without the database, whoever
            was alive last counts as alive until a request to it fails.
        version: What it runs.
        since_ms: When its state became what it is, epoch milliseconds.
    """

    name: str
    url: str
    state: NodeState = NodeState.ACTIVE
    alive: bool = True
    version: str = ""
    since_ms: int = 0


class Membership(Protocol):
    """The nodes, from memory: asking never waits for a database or another node."""

    @property
    def me(self) -> str:
        """Name of this node."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes that were ever registered and not removed, this one too, by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedMembership:
    """Nodes that never change, for tests and tools."""

    me: str
    known: tuple[Node, ...]

    def nodes(self) -> tuple[Node, ...]:
        """Return them."""
        return self.known
