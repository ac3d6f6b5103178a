"""What this node knows of the cluster: asked from memory, learned by a thread of its own.

What the database said last stays when it can't be reached. Only a lease does not: it ends by the
clock of this node, see :mod:`tocsin.cluster.agreement.term`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from collectors.background import Background
from collectors.cluster.members import Node, NodeState
from collectors.errors import StorageError
from tocsin.cluster.agreement.lease import LEAD, Lease
from tocsin.cluster.agreement.registry import Known, Registry, View
from tocsin.cluster.agreement.term import Term

BEATS_A_LEASE = 4
"""A lease is renewed so often within its length: one beat that fails does not cost it."""

_log = structlog.get_logger(__name__)


class Agreement:
    """A :class:`collectors.cluster.members.Membership`, with the leases that this node may hold.

    Args:
        registry: The tables.
        leases: Those that this node wants.
        now_s: A clock that is never set, seconds.

    Attributes:
        unreached: Called after each beat that the database did not answer; may take a second.
        ready: Whether this node can lead: it has judged what was there at its start.
        terms: By lease, for how long it is ours.
        failing: Why the database can't be reached; empty while it can.
        failing_since_s: Since when, on ``now_s``.
    """

    def __init__(
        self,
        registry: Registry,
        leases: Sequence[str] = (LEAD,),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._now_s = now_s
        self.unreached: Callable[[], object] = lambda: None
        self.ready = False
        self._closed = False
        self.terms = {name: Term(now_s) for name in leases}
        self.failing = ""
        self.failing_since_s = 0.0
        self._view = registry.join()
        interval_s = registry.length_ms / 1_000 / BEATS_A_LEASE
        self._beating = Background("tocsin-cluster", self.beat, interval_s=interval_s)

    @property
    def me(self) -> str:
        """Name of this node."""
        return self._registry.node.name

    @property
    def view(self) -> View:
        """What the database said last."""
        return self._view

    @property
    def session(self) -> str:
        """Of this process."""
        return self._registry.session

    def nodes(self) -> tuple[Node, ...]:
        """Return all nodes, by name, as they were when the database was last reached."""
        return tuple(known.node for known in self._view.nodes)

    def others(self) -> tuple[Known, ...]:
        """Return all nodes but this one."""
        return tuple(known for known in self._view.nodes if known.node.name != self.me)

    def lease(self, name: str = LEAD) -> Lease:
        """Return a lease as it was when the database was last reached."""
        return self._view.leases.get(name, Lease(name=name))

    def start(self) -> None:
        """Begin to tell of this node and to ask for leases."""
        self.beat()
        self._beating.start()

    def beat(self) -> None:
        """Tell and ask once."""
        asked_s = self._now_s()
        wants = self._wants()
        wishes = {name: wants and (self.ready or name != LEAD) for name in self.terms}
        try:
            view = self._registry.beat(wishes)
        except StorageError as error:
            self.unreached()
            if not self.failing:
                self.failing_since_s = asked_s
                _log.error("nodes can't agree", reason=error.message)
            self.failing = error.message
            return
        if self.failing:
            _log.info("nodes agree again", after_s=round(self._now_s() - self.failing_since_s, 1))
        self.failing = ""
        self._view = view
        for name, term in self.terms.items():
            self._note(name, term, view.leases[name], asked_s)

    def failing_for(self, longer_than_s: float) -> bool:
        """Whether the database can't be reached for longer than that."""
        return bool(self.failing) and self._now_s() - self.failing_since_s > longer_than_s

    def failing_s(self) -> float | None:
        """Return for how many seconds the database can't be reached; None while it can."""
        return round(self._now_s() - self.failing_since_s, 1) if self.failing else None

    def judged(self) -> None:
        """Note that this node can lead, and ask for the lead soon."""
        if not self.ready:
            self.ready = True
            self._beating.request()

    def drain(self, name: str, state: NodeState = NodeState.DRAINING) -> bool:
        """Tell a node to give back what it holds; return whether there is one of that name.

        Raises:
            StorageError: The database can't be reached.
        """
        return self._registry.set_state(name, state)

    def remove(self, name: str) -> bool:
        """Forget a node that will not come back; return whether there was one.

        Raises:
            StorageError: The database can't be reached.
        """
        return self._registry.remove(name)

    def fence(self, name: str = LEAD) -> Callable[[Connection], bool]:
        """Return what tells within a transaction whether the lease ``name`` is still ours."""
        term = self.terms[name]

        def still(connection: Connection) -> bool:
            token = term.token
            return token > 0 and self._registry.holds(connection, name, token)

        return still

    def close(self) -> None:
        """Give back what is held and stop; once."""
        if self._closed:
            return
        self._closed = True
        self._beating.close(5.0)
        for term in self.terms.values():
            term.end()
        try:
            self._registry.beat(dict.fromkeys(self.terms, False))
        except StorageError as error:
            _log.warning("leases run out by themselves", reason=error.message)
        self._registry.close()

    def _wants(self) -> bool:
        """Whether this node asks for leases; one that is drained only if nobody else is there."""
        mine = next((one for one in self._view.nodes if one.node.name == self.me), None)
        if mine is None or mine.node.state is NodeState.ACTIVE:
            return True
        return not any(
            one.node.alive and one.node.state is NodeState.ACTIVE for one in self.others()
        )

    def _note(self, name: str, term: Term, lease: Lease, asked_s: float) -> None:
        if lease.session == self.session and lease.held(self._view.now_ms):
            if not term.holds():
                _log.info("lease taken", lease=name, token=lease.token)
            term.renew(lease.token, asked_s, lease.length_ms / 1_000)
            return
        if term.holds():
            _log.info("lease given back", lease=name, holder=lease.holder)
        term.end()
