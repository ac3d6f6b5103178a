"""Slots and their holders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.cluster.members import Node, NodeState
from collectors.cluster.placement import COPIES, active, placement_of
from collectors.store.series.slots import SLOTS

NAMES = st.sets(st.text("abcdefgh-0123", min_size=1, max_size=6), min_size=1, max_size=7)


@given(NAMES, st.text("xyz", min_size=1, max_size=4))
def test_a_node_that_comes_takes_only_what_it_holds(names: set[str], new: str) -> None:
    """A joining node would make others hand slots to each other, and all data would move."""
    before = placement_of(tuple(sorted(names)))
    after = placement_of(tuple(sorted({*names, new})))

    for slot in range(SLOTS):
        old, now = before.holders(slot), after.holders(slot)
        kept = [name for name in now if name != new]
        assert kept == list(old[: len(kept)])


@given(NAMES, st.data())
def test_every_slot_has_an_owner_while_any_node_is_alive(
    names: set[str], data: st.DataObject
) -> None:
    """Samples would have nowhere to go, or a slot nobody who answers though a holder lives."""
    placement = placement_of(tuple(sorted(names)))
    alive = data.draw(st.sets(st.sampled_from(sorted(names)), min_size=1))
    taking, answering = placement.taking(alive), placement.answering(alive)

    assert (taking[:, 0] >= 0).all()
    assert (taking >= 0).sum(axis=1).tolist() == [min(COPIES, len(alive))] * SLOTS
    for slot in range(SLOTS):
        living = [name for name in placement.holders(slot) if name in alive]
        answers = int(answering[slot])
        assert (placement.names[answers] if answers >= 0 else None) == next(iter(living), None)
        takers = [placement.names[n] for n in taking[slot].tolist() if n >= 0]
        assert takers[: len(living)] == living
        assert len(set(takers)) == len(takers)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_slots_are_spread_evenly(count: int) -> None:
    """One node would hold most of the series."""
    placement = placement_of(tuple(f"node-{n}" for n in range(count)))
    owned = np.bincount(placement.order[:, 0], minlength=count)
    held = placement.holding().sum(axis=1)

    share = SLOTS / count
    assert owned.min() > share * 0.5
    assert owned.max() < share * 1.6
    assert held.sum() == COPIES * SLOTS
    assert held.max() < COPIES * share * 1.4


def test_holders_are_the_same_in_every_version() -> None:
    """A node of another version would look for series where they are not."""
    placement = placement_of(("a", "b", "c"))

    assert [placement.holders(slot) for slot in (0, 1, 128, 255)] == [
        ("b", "a"),
        ("a", "b"),
        ("c", "b"),
        ("c", "b"),
    ]


def test_a_node_that_leaves_holds_nothing() -> None:
    """Series would go to a node that is about to be stopped."""
    nodes = [Node(name="b", url=""), Node(name="a", url="", state=NodeState.DRAINING)]

    assert active(nodes) == ("b",)


def test_without_nodes_nobody_answers() -> None:
    """A process that knows of no node would fail instead of saying so."""
    assert (placement_of(()).answering(()) == -1).all()
