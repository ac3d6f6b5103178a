"""Who of a slot's holders has had it for longest: what came before a node held it, it never got.

A node that comes takes over some slots, and nothing of what they had is moved. The other holder of
each was there before, as one node changes one holder of a slot at most: it answers until the new
one holds all that is hot.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

import numpy as np

from collectors.cluster.members import Node, NodeState
from collectors.cluster.placement import Placement, active, holders_of, placement_of
from collectors.model import IntArray
from collectors.store.series.slots import SLOTS

# Nodes that begin together were never without each other.
_TOGETHER_MS = 60_000
_Told = tuple[str, NodeState, int]


def answering_placement(nodes: Collection[Node], oldest_ms: int) -> Placement:
    """Return the placement over active nodes, of each slot the senior holder first.

    Args:
        nodes: All there are.
        oldest_ms: Who holds a slot since then, or for longer, has all of it that is hot.
    """
    placement = placement_of(active(nodes))
    since = held_since(nodes)
    holders = placement.order[:, : placement.copies]
    began = np.maximum(since[holders, np.arange(SLOTS)[:, None]], oldest_ms)
    if not holders.size or (began == began[:, :1]).all():
        return placement
    seniors = np.argsort(began, axis=1, kind="stable")
    order = placement.order.copy()
    order[:, : placement.copies] = np.take_along_axis(holders, seniors, axis=1)
    return replace(placement, order=order)


def held_since(nodes: Collection[Node]) -> IntArray:
    """Return (N, SLOTS) since when each active node holds each slot, epoch ms; 0: it does not.

    Of nodes that were told to leave it is known when; those that were removed are forgotten.
    """
    return _held_since(tuple(sorted((one.name, one.state, one.since_ms) for one in nodes)))


@lru_cache(maxsize=64)
def _held_since(told: tuple[_Told, ...]) -> IntArray:
    told = _together(told)
    names = tuple(name for name, state, _ in told if state is NodeState.ACTIVE)
    held = holders_of(names)
    since = np.zeros((len(names), SLOTS), dtype=np.int64)
    for time_ms in sorted({time_ms for _, _, time_ms in told}, reverse=True):
        held = held & _held_at(time_ms, told, names)
        since[held] = time_ms
    since.flags.writeable = False
    return since


def _together(told: tuple[_Told, ...]) -> tuple[_Told, ...]:
    """Return the same with one beginning for those that began together."""
    first = min((at for _, state, at in told if state is NodeState.ACTIVE), default=0)
    return tuple(
        (name, state, first if state is NodeState.ACTIVE and at <= first + _TOGETHER_MS else at)
        for name, state, at in told
    )


def _held_at(time_ms: int, told: tuple[_Told, ...], names: tuple[str, ...]) -> np.ndarray:
    """Return (N, SLOTS) what each of ``names`` held right after a moment."""
    then = tuple(
        name
        for name, state, since_ms in told
        if (since_ms <= time_ms) == (state is NodeState.ACTIVE)
    )
    held = np.zeros((len(names), SLOTS), dtype=np.bool_)
    before = holders_of(then)
    for row, name in enumerate(names):
        if name in then:
            held[row] = before[then.index(name)]
    return held
