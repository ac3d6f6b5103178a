"""This node's part in a cluster of shards, put together: stores, doors, what it owes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from collectors.background import Background
from collectors.clock import Clock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.asking.fan_out import FanOut
from collectors.cluster.asking.local import LocalNode
from collectors.cluster.asking.questions import Asked, Question
from collectors.cluster.members import Membership
from collectors.cluster.network.peers import Lines
from collectors.cluster.sharing.delivering import Delivery, Keeps
from collectors.cluster.sharing.hints import Hints
from collectors.cluster.sharing.keeping import ShareKeeper
from collectors.cluster.sharing.writer import SharingWriter
from collectors.cluster.suspects import Suspects
from collectors.errors import OverloadedError, StorageError
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.store.metric_store import MetricStore
from tocsin.cluster.shards.judging import Judgement, WholeDatabase
from tocsin.settings import Settings

OWED = "owed"
"""The question by which a node learns what others keep for it."""

_LOOK_S = 1.0
_ASK_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What it takes to be one of several shards.

    Attributes:
        membership: Which nodes there are.
        token: That they show each other.
        leads: Whether this node judges for all of them.
        verify: What verifies the others' certificates; None: what the machine trusts.
    """

    membership: Membership
    token: str
    leads: Callable[[], bool]
    verify: ssl.SSLContext | None = None


def joined(
    joining: Joining,
    settings: Settings,
    store: MetricStore,
    limits: Limits,
    clock: Clock,
    machine: Machine,
) -> Shards:
    """Return this node among others, its thread running."""
    path, max_wait_ms = settings.data_dir / "owed", settings.evaluation_delay.ms
    hot_window_ms = settings.hot_window.ms
    shards = Shards(joining, store, limits, clock, machine, path, max_wait_ms, hot_window_ms)
    shards.start()
    return shards


class Shards:
    """This node among others.

    Args:
        joining: Which others.
        store: This node's own.
        limits: Bounds on what is taken and answered.
        clock: The present.
        machine: What the process runs on.
        path: Where what others missed is kept.
        max_wait_ms: How long judgement waits for shares that are missing.
        hot_window_ms: How much is kept hot: who has held a slot for as long has all of it.
    """

    def __init__(
        self,
        joining: Joining,
        store: MetricStore,
        limits: Limits,
        clock: Clock,
        machine: Machine,
        path: Path,
        max_wait_ms: int = 30_000,
        hot_window_ms: int = 6 * 3_600_000,
    ) -> None:
        self.membership, self.token = joining.membership, joining.token
        self.hints = Hints(path, machine)
        self._lines = Lines(joining.membership, joining.token, joining.verify)
        self._local = LocalNode(store)
        self.keeper = ShareKeeper(store, limits.max_body_bytes)
        self._behind = True
        self._sending, self._asking = Suspects(clock), Suspects(clock)
        self.fan_out = FanOut(
            self.membership,
            self._node,
            self._asking,
            behind=lambda: self._behind,
            oldest_ms=lambda: clock.now_ms() - hot_window_ms,
        )
        self.delivery = Delivery(self.membership, self._kept_by, self._sending, self.hints)
        self.database = ClusterDatabase(self.fan_out, self.membership, store, limits)
        self.writer = SharingWriter(self.delivery, limits, store.metric_kinds)
        self.judged_from = WholeDatabase(self.database, self.writer)
        self.leads = joining.leads
        self.judgement = Judgement(joining.leads, self.fan_out.missing, clock, max_wait_ms)
        self._background = Background("cluster-hints", self.look, interval_s=_LOOK_S)

    def start(self) -> None:
        """Deliver what others missed, and learn what this node missed, from now on."""
        self._background.request()
        self._background.start()

    @property
    def behind(self) -> bool:
        """Whether others still keep what this node missed: until then it answers nobody."""
        return self._behind

    def _node(self, name: str) -> Asked:
        return self._local if name == self.membership.me else self._lines.node(name)

    def _kept_by(self, name: str) -> Keeps:
        return self.keeper if name == self.membership.me else self._lines.node(name)

    def look(self) -> None:
        """Deliver what is owed to those who are alive; ask them what they owe this node."""
        alive = [
            n.name for n in self.membership.nodes() if n.alive and n.name != self.membership.me
        ]
        owed = {name: self._owed_by(name) for name in alive}
        pending = self.hints.pending()
        for name, answered in owed.items():
            # Whoever does not answer is not tried: each try would begin a file anew.
            if name in pending and answered is not None:
                self._deliver(name)
        self._behind = any(owed.values())

    def _deliver(self, name: str) -> None:
        try:
            self.hints.deliver(name, self._kept_by(name).keep)
        except (StorageError, OverloadedError):
            self._sending.note(name)

    def _owed_by(self, name: str) -> int | None:
        """Return how much a node keeps for this one; None: it does not answer."""
        question = Question(kind=OWED, arguments={"node": self.membership.me})
        try:
            return int(self._node(name).ask(question, None, _ASK_S).head)
        except (StorageError, OverloadedError):
            return None

    def health(self) -> Mapping[str, object]:
        """Return how safe what is kept is, for ``/health``."""
        copies = self.delivery.copies
        return {
            "node": self.membership.me,
            "behind": self._behind,
            "missing_slots": self.fan_out.missing(),
            "samples": copies.whole,
            "samples_with_one_copy": copies.thin,
            "forwarded": dict(copies.forwarded),
            "owed_bytes": dict(self.hints.pending()),
            "dropped_segments": self.hints.evicted_segments,
            "unkept_shares": copies.unkept,
        }

    def close(self) -> None:
        """End the threads and release the files."""
        self._background.close(timeout_s=5.0)
        self.fan_out.close()
        self.delivery.close()
        self._lines.close()
        self.hints.close()
