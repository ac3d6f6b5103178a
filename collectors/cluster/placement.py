"""Which node holds which series: tags hash to slots, and slots have holders.

A slot is one of 256. Every active node has a score for every slot (a digest of both names), and the
nodes with the highest scores hold it: rendezvous hashing (Thaler and Ravishankar 1996). When a node
comes or goes, the slots that it holds move and no others do. The order of all nodes for a slot also
says who takes a sample when a holder is dead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from collectors.cluster.members import Node, NodeState
from collectors.model import IndexArray
from collectors.store.series.slots import SLOTS

COPIES = 2
"""How many nodes hold each slot: its owner and a stand-by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Who holds what; N nodes.

    Attributes:
        names: (N,) of the nodes, sorted.
        order: (SLOTS, N) int32, positions in ``names`` by falling score; the first are the holders.
        copies: How many of them hold a slot.
    """

    names: tuple[str, ...]
    order: IndexArray
    copies: int

    def holders(self, slot: int) -> tuple[str, ...]:
        """Return the nodes that hold ``slot``, its owner first."""
        return tuple([self.names[n] for n in self.order[slot, : self.copies].tolist()])

    def mask(self, names: Collection[str]) -> NDArray[np.bool_]:
        """Return (N,) which nodes are among ``names``."""
        return np.array([name in names for name in self.names], dtype=np.bool_)

    def answering(self, alive: Collection[str]) -> IndexArray:
        """Return (SLOTS,) who answers for each slot: the first holder alive, -1 for none."""
        return _first(self.order[:, : self.copies], self.mask(alive), 1)[:, 0]

    def taking(self, alive: Collection[str]) -> IndexArray:
        """Return (SLOTS, copies) who takes samples of each slot now, -1 where nobody is left.

        These are the holders, and in the place of a dead one the next node that is alive.
        """
        return _first(self.order, self.mask(alive), self.copies)

    def holding(self) -> NDArray[np.bool_]:
        """Return (N, SLOTS) which node holds which slot."""
        held = np.zeros((len(self.names), SLOTS), dtype=np.bool_)
        for place in range(min(self.copies, len(self.names))):
            held[self.order[:, place], np.arange(SLOTS)] = True
        return held


def _first(order: IndexArray, alive: NDArray[np.bool_], count: int) -> IndexArray:
    """Return (SLOTS, count) the first nodes of each row of ``order`` that are alive, then -1."""
    found = np.full((SLOTS, count), -1, dtype=np.int32)
    if not len(alive):
        return found
    lives = alive[order]
    rank = np.cumsum(lives, axis=1)
    for place in range(count):
        here = lives & (rank == place + 1)
        slots = np.flatnonzero(here.any(axis=1))
        found[slots, place] = order[slots, here[slots].argmax(axis=1)]
    return found


def active(nodes: Collection[Node]) -> tuple[str, ...]:
    """Return the names of the nodes that hold slots, sorted: those that were not told to leave."""
    return tuple(sorted(node.name for node in nodes if node.state is NodeState.ACTIVE))


@lru_cache(maxsize=64)
def placement_of(names: tuple[str, ...], copies: int = COPIES) -> Placement:
    """Return the placement over nodes of these names: the same in every process."""
    names = tuple(sorted(set(names)))
    scores = np.array(
        [[_score(name, slot) for name in names] for slot in range(SLOTS)], dtype=np.uint64
    ).reshape(SLOTS, len(names))
    # Ascending by the complement, and by name where two scores are the same.
    order = np.argsort(~scores, axis=1, kind="stable").astype(np.int32)
    order.flags.writeable = False
    return Placement(names=names, order=order, copies=copies)


@lru_cache(maxsize=64)
def takers_of(names: tuple[str, ...], alive: frozenset[str]) -> NDArray[np.bool_]:
    """Return (N, SLOTS) which of ``names``, sorted, takes samples of which slot now."""
    placement = placement_of(names)
    taking = placement.taking(alive)
    found = np.zeros((len(placement.names), SLOTS), dtype=np.bool_)
    for place in range(taking.shape[1]):
        slots = np.flatnonzero(taking[:, place] >= 0)
        found[taking[slots, place], slots] = True
    found.flags.writeable = False
    return found


@lru_cache(maxsize=64)
def holders_of(names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return (N, SLOTS) which of ``names``, sorted, holds which slot."""
    held = placement_of(names).holding()
    held.flags.writeable = False
    return held


def _score(name: str, slot: int) -> int:
    digest = blake2b(f"{slot}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
