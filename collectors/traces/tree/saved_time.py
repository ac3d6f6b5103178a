"""How much shorter a trace would be if its failed spans vanished.

The pessimistic estimate of CRISP: a failed span takes no time, the others keep their starts.
Siblings that overlap transitively form a block; a block ends when the last of its shrunken spans
does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.traces.tree.span_tree import Node, Siblings

_Before = Callable[[Node, Siblings, Node, Node], bool]


@dataclass(slots=True)
class _Block:
    """Siblings that ran side by side; ``overlap_ns`` is how far the block before reaches in."""

    nodes: list[Node]
    overlap_ns: int = 0
    start_ns: int = field(init=False)
    end_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self.start_ns = self.nodes[0].start_ns
        self.end_ns = self.nodes[0].end_ns

    def add(self, node: Node) -> None:
        self.nodes.append(node)
        self.start_ns = min(self.start_ns, node.start_ns)


def saved_ns(root: Node, happens_before: _Before) -> int:
    """Return the time saved on the whole trace, in nanoseconds."""
    saved: dict[Node, int] = {}
    for node in reversed(list(root.walk())):
        if node.failed:
            saved[node] = node.duration_ns
        else:
            blocks = _blocks(node, happens_before)
            total = sum(_saved_in(block, saved) for block in blocks)
            saved[node] = min(total, node.duration_ns)
    return saved[root]


def _blocks(parent: Node, happens_before: _Before) -> list[_Block]:
    """Return the blocks of a node's children, the last in time first."""
    siblings = parent.siblings
    blocks: list[_Block] = []
    for node in siblings.latest_first:
        block = blocks[-1] if blocks else None
        if block is None:
            blocks.append(_Block([node]))
        elif all(happens_before(parent, siblings, node, later) for later in block.nodes):
            blocks.append(_Block([node], max(0, node.end_ns - block.start_ns)))
        else:
            block.add(node)
    return blocks


def _saved_in(block: _Block, saved: dict[Node, int]) -> int:
    """Return by how much a block ends earlier: its last span decides, after shrinking."""
    # Latest end first; of equal ends the one that is shrunk already, which then decides.
    queue = [(-node.end_ns, 1, i) for i, node in enumerate(block.nodes)]
    heapq.heapify(queue)
    while True:
        end_ns, untouched, i = heapq.heappop(queue)
        if not untouched:
            return max(0, block.end_ns + end_ns - block.overlap_ns)
        heapq.heappush(queue, (end_ns + saved[block.nodes[i]], 0, i))
