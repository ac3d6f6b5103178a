"""Who answers for a slot after nodes came and went: whoever has all of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.cluster.members import Node, NodeState
from collectors.cluster.placement import active, placement_of
from collectors.cluster.seniority import answering_placement, held_since
from collectors.store.series.slots import SLOTS

HOUR_MS = 3_600_000
T0 = 1_700_000_000_000
TOGETHER = tuple(Node(name=name, url="", since_ms=T0 + n * 500) for n, name in enumerate("abc"))


def owners(nodes: tuple[Node, ...], alive: str, oldest_ms: int = 0) -> list[str]:
    """Return who answers for each slot."""
    placement = answering_placement(nodes, oldest_ms)
    return [placement.names[n] for n in placement.answering(alive).tolist()]


def test_nodes_that_begin_together_answer_as_they_are_placed() -> None:
    """Who came a second earlier would answer for all."""
    assert answering_placement(TOGETHER, 0) is placement_of(("a", "b", "c"))


def test_a_node_that_comes_answers_for_nothing_that_it_never_got() -> None:
    """Answers would lack in silence what its slots had before."""
    nodes = (*TOGETHER, Node(name="d", url="", since_ms=T0 + 2 * HOUR_MS))
    before = placement_of(("a", "b", "c"))
    found = owners(nodes, "abcd", T0 + HOUR_MS)
    assert "d" not in found
    assert all(name in before.holders(slot) for slot, name in enumerate(found))
    # All that is hot came after it: its share is its own now.
    later = answering_placement(nodes, T0 + 3 * HOUR_MS)
    assert later is placement_of(("a", "b", "c", "d"))


def test_a_node_that_is_told_to_leave_is_followed_by_who_was_beside_it() -> None:
    """Whoever takes its place has nothing of its slots yet."""
    left = Node(name="b", url="", state=NodeState.DRAINING, since_ms=T0 + HOUR_MS)
    nodes = (TOGETHER[0], left, TOGETHER[2], Node(name="d", url="", since_ms=T0))
    before = placement_of(("a", "b", "c", "d"))
    found = owners(nodes, "acd", T0)
    assert "b" not in found
    assert all(name in before.holders(slot) for slot, name in enumerate(found))


def test_whom_the_senior_leaves_answers_with_what_it_has() -> None:
    """A dead node would leave its slots to nobody."""
    nodes = (*TOGETHER, Node(name="d", url="", since_ms=T0 + HOUR_MS))
    placement = placement_of(("a", "b", "c", "d"))
    slot = next(s for s in range(SLOTS) if set(placement.holders(s)) == {"a", "d"})
    assert owners(nodes, "bcd")[slot] == "d"
    assert owners(nodes, "abcd")[slot] == "a"


@given(st.lists(st.integers(0, 10), min_size=2, max_size=6), st.data())
def test_a_holder_is_never_older_than_it_is(hours: list[int], data: st.DataObject) -> None:
    """What is known of a slot would be more than there is."""
    nodes = tuple(
        Node(
            name=f"n{n}",
            url="",
            since_ms=T0 + hour * HOUR_MS,
            state=data.draw(st.sampled_from(NodeState)),
        )
        for n, hour in enumerate(hours)
    )
    names = active(nodes)
    since = held_since(nodes)
    own = {node.name: node.since_ms for node in nodes}
    held = np.zeros((len(names), SLOTS), dtype=np.bool_)
    for slot in range(SLOTS):
        for name in placement_of(names).holders(slot):
            held[names.index(name), slot] = True
    assert ((since > 0) == held).all()
    for row, name in enumerate(names):
        assert (since[row][since[row] > 0] >= min(own.values())).all()
        assert (since[row][since[row] > 0] >= own[name] - 60_000).all()


@pytest.mark.parametrize("nodes", [(), (Node(name="a", url="", state=NodeState.DRAINING),)])
def test_without_nodes_there_is_nobody(nodes: tuple[Node, ...]) -> None:
    """A cluster that is drained to the last would fail instead of saying so."""
    assert answering_placement(nodes, 0).names == ()
