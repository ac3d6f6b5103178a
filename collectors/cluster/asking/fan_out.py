"""One question to all nodes: each answers for the slots that are its own just now.

A slot is answered by the senior of its holders that is alive, see
:mod:`collectors.cluster.seniority`; if that one fails, by the next, as long as there is time. What
nobody answers for is noted as missing (:mod:`collectors.missing`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import structlog
from numpy.typing import NDArray

from collectors.budget import elsewhere, look, spend
from collectors.cluster.asking.questions import Asked, Question
from collectors.cluster.frames import Frame
from collectors.cluster.members import Membership
from collectors.cluster.placement import Placement, active
from collectors.cluster.seniority import answering_placement, held_since
from collectors.cluster.suspects import Suspects
from collectors.errors import OverloadedError, StorageError
from collectors.missing import note_doubt, note_missing
from collectors.model import IndexArray
from collectors.store.series.slots import SLOTS

_log = structlog.get_logger(__name__)
Boolean = NDArray[np.bool_]
_NEVER_MS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one node answered."""

    node: str
    frame: Frame


@dataclass(slots=True, kw_only=True)
class _Round:
    """A question on its way: which slots are open, and who has failed."""

    open: Boolean
    failed: set[str]
    said: list[Said]
    shares: list[tuple[str, Boolean]] = field(default_factory=list)
    """Who answered for which slots."""


class FanOut:
    """Asks nodes, this one too.

    Args:
        membership: Which nodes there are.
        nodes: Returns what asks a node by its name.
        suspects: Who did not answer lately.
        behind: Whether this node lacks what it missed while it was away.
        oldest_ms: Returns since when what a node holds is all that is hot, epoch milliseconds.
        deadline_s: How long others may take.
        now_s: A clock that never goes back.
    """

    def __init__(
        self,
        membership: Membership,
        nodes: Callable[[str], Asked],
        suspects: Suspects,
        *,
        behind: Callable[[], bool] = lambda: False,
        oldest_ms: Callable[[], int] = lambda: 0,
        deadline_s: float = 10.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._membership = membership
        self._nodes = nodes
        self._suspects = suspects
        self._behind = behind
        self._oldest_ms = oldest_ms
        self._deadline_s = deadline_s
        self._now_s = now_s
        self._pool = ThreadPoolExecutor(32, thread_name_prefix="cluster-ask")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def gather(self, question: Question, first_ms: int | None = None) -> list[Said]:
        """Return the answers of all who hold slots, in the order of their names.

        Args:
            question: What is asked.
            first_ms: Of what time; None: of the present alone.

        Raises:
            InputError: The question is wrong, or asks for too much.
        """
        end_s = self._now_s() + self._deadline_s
        work = _Round(open=np.ones(SLOTS, dtype=np.bool_), failed=set(), said=[])
        while work.open.any():
            placement, answering = self._answering(work.failed)
            lost = work.open & (answering < 0)
            if lost.any():
                self._tell_lost(lost, placement)
                work.open &= ~lost
            shares = {
                name: work.open & (answering == position)
                for position, name in enumerate(placement.names)
            }
            shares = {name: share for name, share in shares.items() if share.any()}
            self._ask(question, shares, work, end_s)
        if first_ms is not None:
            self._tell_young(work, first_ms)
        return sorted(work.said, key=lambda one: one.node)

    def everybody(self, question: Question) -> list[Said]:
        """Return what each node that is alive answers of all that it has, itself."""
        end_s = self._now_s() + self._deadline_s
        nodes = self._membership.nodes()
        for node in nodes:
            if not node.alive:
                note_missing(f"node {node.name} does not answer; what it alone has is left out")
        work = _Round(open=np.zeros(SLOTS, dtype=np.bool_), failed=set(), said=[])
        self._ask(question, {node.name: None for node in nodes if node.alive}, work, end_s)
        for name in sorted(work.failed):
            note_missing(f"node {name} does not answer; what it alone has is left out")
        return sorted(work.said, key=lambda one: one.node)

    def missing(self) -> int:
        """Return for how many slots nobody would answer now."""
        _, answering = self._answering(self._suspects.current() - {self._membership.me})
        return int((answering < 0).sum())

    def _answering(self, failed: set[str]) -> tuple[Placement, IndexArray]:
        """Return who answers for each slot: whoever is not doubted, else whoever may be alive."""
        nodes = self._membership.nodes()
        placement = answering_placement(nodes, self._oldest_ms())
        alive = {node.name for node in nodes if node.alive or node.name == self._membership.me}
        alive -= failed
        doubted = self._suspects.current()
        if self._behind():
            doubted = doubted | {self._membership.me}
        sure, perhaps = placement.answering(alive - doubted), placement.answering(alive)
        return placement, np.where(sure >= 0, sure, perhaps)

    def _ask(
        self,
        question: Question,
        shares: Mapping[str, Boolean | None],
        work: _Round,
        end_s: float,
    ) -> None:
        """Ask several at once; close the slots of those who answer."""
        me = self._membership.me
        left_s = max(0.05, end_s - self._now_s())
        asked = {
            name: self._pool.submit(self._nodes(name).ask, question, _listed(share), left_s)
            for name, share in shares.items()
            if name != me
        }
        try:
            if me in shares:
                frame = self._nodes(me).ask(question, _listed(shares[me]), left_s)
                self._take(me, frame, shares[me], work)
            for name, future in asked.items():
                self._wait(name, future, shares[name], work, end_s)
        finally:
            for future in asked.values():
                future.cancel()

    def _wait(
        self, name: str, future: Future[Frame], share: Boolean | None, work: _Round, end_s: float
    ) -> None:
        try:
            with elsewhere():
                frame = future.result(max(0.0, end_s - self._now_s()) + 0.1)
        except (StorageError, OverloadedError, NotInTime) as error:
            _log.warning("a node does not answer", node=name, reason=str(error)[:200])
            self._suspects.note(name)
            work.failed.add(name)
            return
        self._suspects.clear(name)
        self._take(name, frame, share, work)

    def _take(self, name: str, frame: Frame, share: Boolean | None, work: _Round) -> None:
        look()
        spend(sum(array.nbytes for array in frame.arrays.values()), f"the answer of node {name}")
        work.said.append(Said(node=name, frame=frame))
        if share is not None:
            work.open &= ~share
            work.shares.append((name, share))

    def _tell_young(self, work: _Round, first_ms: int) -> None:
        """Say it where those who answered did not hold their slots yet at ``first_ms``."""
        nodes = self._membership.nodes()
        since = dict(zip(active(nodes), held_since(nodes), strict=True))
        began = np.zeros(SLOTS, dtype=np.int64)
        for name, share in work.shares:
            began[share] = since[name][share] if name in since else 0
        known = began[began > 0]
        first_ms = max(first_ms, self._oldest_ms(), int(known.min(initial=_NEVER_MS)))
        young = began > first_ms
        if young.any():
            at = datetime.fromtimestamp(int(began.max()) / 1_000, tz=UTC)
            note_doubt(
                f"of {int(young.sum())} of {SLOTS} slots what came before {at:%H:%M:%S} UTC may be "
                "missing: who answers for them holds them since then"
            )

    def _tell_lost(self, lost: Boolean, placement: Placement) -> None:
        gone = sorted(
            {name for slot in np.flatnonzero(lost).tolist() for name in placement.holders(slot)}
        )
        note_missing(
            f"{int(lost.sum())} of {SLOTS} slots of the series are missing: none of their holders "
            f"({', '.join(gone) or 'no node is active'}) answers"
        )


def _listed(share: Boolean | None) -> list[int] | None:
    return None if share is None else np.flatnonzero(share).tolist()
