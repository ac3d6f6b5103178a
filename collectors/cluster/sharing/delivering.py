"""Hands rows to whoever holds their slots, and counts in how many logs they are.

Rows go to the first two nodes of their slot's order that are alive. One that fails is left out and
the next takes its place. Only when no node at all has a row is its sender told to try again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from collectors.cluster.members import Membership
from collectors.cluster.placement import (
    COPIES,
    Placement,
    active,
    holders_of,
    placement_of,
    takers_of,
)
from collectors.cluster.sharing.hints import Hints
from collectors.cluster.sharing.shares import Share
from collectors.cluster.suspects import Suspects
from collectors.errors import InputError, OverloadedError, StorageError
from collectors.model import Receipt, Rejection

_log = structlog.get_logger(__name__)
Boolean = NDArray[np.bool_]
_RETRY_S = 5
_THREADS = 32


class Keeps(Protocol):
    """A node that keeps what it is handed, or whatever stands for one."""

    def keep(self, share: Share) -> Receipt:
        """Return when the share is in its log.

        Raises:
            StorageError: It can't be reached, or its disk refuses.
            OverloadedError: It has too much to do.
            InputError: It refuses the whole share.
        """
        ...


class Rows(Protocol):
    """S rows that can be divided."""

    @property
    def slots(self) -> NDArray[np.uint8]:
        """(S,) the slot of each."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """(S,) how many samples each has."""
        ...

    def share(self, chosen: Boolean) -> Share:
        """Return some of them as a share."""
        ...


@dataclass(slots=True)
class Copies:
    """What became of the samples that this node was sent; counted since its start.

    Attributes:
        whole: Samples that are in as many logs as they should be.
        thin: Samples that are in fewer, as too few nodes are alive.
        unkept: Shares that could not even be kept for a node that was away.
        forwarded: Samples by the node that they were handed to.
    """

    whole: int = 0
    thin: int = 0
    unkept: int = 0
    forwarded: dict[str, int] = field(default_factory=dict)


class Delivery:
    """Delivers rows to nodes; safe for many threads.

    Args:
        membership: Which nodes there are.
        nodes: Returns what a node's samples are handed to, by its name.
        suspects: Who did not answer lately.
        hints: Where what dead nodes miss is kept.
    """

    def __init__(
        self,
        membership: Membership,
        nodes: Callable[[str], Keeps],
        suspects: Suspects,
        hints: Hints,
    ) -> None:
        self._membership = membership
        self._nodes = nodes
        self._suspects = suspects
        self._hints = hints
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cluster-send")
        self._lock = threading.Lock()
        self.copies = Copies()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)

    def deliver(self, rows: Rows) -> Receipt:
        """Keep rows on as many nodes as they should be on.

        Raises:
            OverloadedError: Some are on none.
        """
        work = _Work(rows=rows, placement=self._placement())
        alive = {node.name for node in self._membership.nodes() if node.alive}
        alive = (alive - self._suspects.current()) | {self._membership.me}
        failed: set[str] | None = None
        while failed is None or failed:
            failed = self._send(work, work.todo(alive))
            alive -= failed
        if len(work.copies) and not work.copies.min():
            raise OverloadedError(
                "no node could keep all of the samples; try again", retry_after_s=_RETRY_S
            )
        self._owe(work)
        self._count(work)
        return work.receipt()

    def tell_everybody(self, share: Share) -> None:
        """Hand all nodes a share without samples; who does not take it hears it next time."""
        for node in self._membership.nodes():
            if not node.alive or node.name in self._suspects.current():
                continue
            try:
                self._nodes(node.name).keep(share)
            except (StorageError, OverloadedError) as error:
                _log.warning("a node was not told", node=node.name, reason=error.message)

    def _placement(self) -> Placement:
        return placement_of(active(self._membership.nodes()) or (self._membership.me,))

    def _send(self, work: _Work, todo: Mapping[str, Boolean]) -> set[str]:
        """Hand nodes their shares, all at once; return who failed."""
        me = self._membership.me
        shares = {name: work.rows.share(chosen) for name, chosen in todo.items()}
        sent = {
            name: self._pool.submit(self._nodes(name).keep, share)
            for name, share in shares.items()
            if name != me
        }
        calls: dict[str, Callable[[], Receipt]] = {name: f.result for name, f in sent.items()}
        if me in shares:
            own = self._nodes(me)
            calls = {me: lambda: own.keep(shares[me]), **calls}
        failed = set()
        for name, call in calls.items():
            try:
                receipt = call()
            except InputError as error:
                receipt = _refused(shares[name], error)
            except (StorageError, OverloadedError) as error:
                _log.warning("a node does not keep its share", node=name, reason=error.message)
                failed.add(name)
                if name != me:
                    self._suspects.note(name)
                continue
            work.take(name, todo[name], receipt)
        return failed

    def _owe(self, work: _Work) -> None:
        """Keep for absent holders what they miss."""
        for name, chosen in work.missed().items():
            if name == self._membership.me:
                continue
            try:
                self._hints.keep(name, work.rows.share(chosen))
            except StorageError as error:
                _log.error("what a node misses is not kept", node=name, reason=error.message)
                with self._lock:
                    self.copies.unkept += 1

    def _count(self, work: _Work) -> None:
        counts = work.rows.counts
        wanted = min(COPIES, len(work.placement.names))
        thin = int(counts[work.copies < wanted].sum())
        with self._lock:
            self.copies.thin += thin
            self.copies.whole += int(counts.sum()) - thin
            for name, has in work.has.items():
                if name != self._membership.me:
                    before = self.copies.forwarded.get(name, 0)
                    self.copies.forwarded[name] = before + int(counts[has].sum())


@dataclass(slots=True, kw_only=True)
class _Work:
    """Rows on their way: which node has which, and what was said of them."""

    rows: Rows
    placement: Placement
    has: dict[str, Boolean] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    sent: int = 0

    @property
    def copies(self) -> NDArray[np.int64]:
        """(S,) on how many nodes each row is."""
        total = np.zeros(len(self.rows.slots), dtype=np.int64)
        for has in self.has.values():
            total += has
        return total

    def todo(self, alive: set[str]) -> dict[str, Boolean]:
        """Return who should get which rows now."""
        takers = takers_of(self.placement.names, frozenset(alive))
        found = {}
        for position, name in enumerate(self.placement.names):
            chosen = takers[position][self.rows.slots]
            if name in self.has:
                chosen = chosen & ~self.has[name]
            if chosen.any():
                found[name] = chosen
        return found

    def take(self, name: str, chosen: Boolean, receipt: Receipt) -> None:
        """Note that a node has some rows."""
        self.has[name] = self.has[name] | chosen if name in self.has else chosen
        self.receipts.append(receipt)
        self.sent += int(self.rows.counts[chosen].sum())

    def missed(self) -> dict[str, Boolean]:
        """Return which rows holders lack."""
        holding = holders_of(self.placement.names)
        found = {}
        for position, name in enumerate(self.placement.names):
            lacks = holding[position][self.rows.slots]
            if name in self.has:
                lacks = lacks & ~self.has[name]
            if lacks.any():
                found[name] = lacks
        return found

    def receipt(self) -> Receipt:
        """Return what the sender is told: a series refused by two nodes is refused once."""
        total = int(self.rows.counts.sum())
        rejected = merged_rejections(
            [one for receipt in self.receipts for one in receipt.rejected], total, self.sent
        )
        refused = sum(one.count for one in rejected)
        return Receipt(accepted=max(0, total - refused), rejected=rejected)


def merged_rejections(found: list[Rejection], total: int, sent: int) -> list[Rejection]:
    """Return what several nodes refused, without saying it twice.

    Args:
        found: What each said.
        total: How many samples there are.
        sent: How many were handed out, copies included.
    """
    by_series: dict[tuple[str, frozenset[tuple[str, str]]], Rejection] = {}
    plain: dict[str, list[Rejection]] = {}
    for one in found:
        if not one.tags:
            plain.setdefault(one.reason, []).append(one)
            continue
        key = one.reason, frozenset(one.tags.items())
        known = by_series.get(key)
        if known is None or known.count < one.count:
            by_series[key] = one
    merged = list(by_series.values())
    for reason, several in plain.items():
        # Which samples those were is not said: each was refused by as many as it was sent to.
        count = -(-sum(one.count for one in several) * total // max(1, sent))
        merged.append(Rejection(reason=reason, detail=several[0].detail, count=count))
    return merged


def _refused(share: Share, error: InputError) -> Receipt:
    reason = type(error).__name__
    rejection = Rejection(reason=reason, detail=error.message, count=share.samples)
    return Receipt(accepted=0, rejected=[rejection])
