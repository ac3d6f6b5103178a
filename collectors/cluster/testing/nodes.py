"""Nodes of one process: stores that answer each other without a network, and may be dead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.clock import ManualClock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.asking.fan_out import FanOut
from collectors.cluster.asking.local import LocalNode
from collectors.cluster.asking.questions import Asked, Question
from collectors.cluster.frames import Frame, packed, unpacked
from collectors.cluster.members import Node
from collectors.cluster.sharing.keeping import ShareKeeper
from collectors.cluster.sharing.shares import (
    Share,
    packed_share,
    plain_receipt,
    receipt_from,
    share_from,
)
from collectors.cluster.suspects import Suspects
from collectors.errors import StorageError
from collectors.limits import Limits
from collectors.model import Receipt
from collectors.store.metric_store import MetricStore


@dataclass(slots=True)
class MortalNodes:
    """Nodes of which some are dead; a :class:`~collectors.cluster.members.Membership`.

    Attributes:
        me: This node.
        names: All of them.
        dead: Those that are known to be dead.
        since_ms: Since when each is one of them, as far as it is said.
    """

    me: str
    names: Sequence[str]
    dead: set[str] = field(default_factory=set)
    since_ms: Mapping[str, int] = field(default_factory=dict)

    def nodes(self) -> tuple[Node, ...]:
        """Return them."""
        return tuple(
            Node(
                name=name,
                url=f"http://{name}",
                alive=name not in self.dead,
                since_ms=self.since_ms.get(name, 0),
            )
            for name in self.names
        )


class WiredNode:
    """A store behind what would go over the wire.

    Args:
        store: What it answers from.
    """

    def __init__(self, store: MetricStore) -> None:
        self._node = LocalNode(store)
        self.silent = False
        self.asked = 0

    def ask(self, question: Question, slots: Sequence[int] | None, timeout_s: float) -> Frame:
        """Answer as over the wire.

        Raises:
            StorageError: It is silent.
        """
        self.asked += 1
        if self.silent:
            raise StorageError("connection refused")
        sent = unpacked(packed(Frame(head=[question.kind, dict(question.arguments), slots])))
        kind, arguments, wanted = sent.head
        asked = replace(question, kind=kind, arguments=arguments)
        return unpacked(packed(self._node.ask(asked, wanted, timeout_s)))


class WiredKeeper:
    """A store that is handed shares as over the wire.

    Args:
        keeper: Keeps them.
    """

    def __init__(self, keeper: ShareKeeper) -> None:
        self._keeper = keeper
        self.silent = False
        self.shares = 0

    def keep(self, share: Share) -> Receipt:
        """Keep a share.

        Raises:
            StorageError: It is silent.
        """
        if self.silent:
            raise StorageError("connection refused")
        self.shares += 1
        receipt = self._keeper.keep(share_from(packed_share(share)))
        return receipt_from(plain_receipt(receipt))


def database_over(
    me: str, membership: MortalNodes, stores: Mapping[str, MetricStore], clock: ManualClock
) -> tuple[ClusterDatabase, Mapping[str, WiredNode]]:
    """Return the database that one of several nodes is, and what it asks."""
    wired = {name: WiredNode(store) for name, store in stores.items()}

    def node(name: str) -> Asked:
        return LocalNode(stores[name]) if name == me else wired[name]

    fan_out = FanOut(membership, node, Suspects(clock), deadline_s=30.0)
    return ClusterDatabase(fan_out, membership, stores[me], Limits()), wired
