"""Which node of several keeps a key: consistent hashing.

Every node owns many points on a circle of 2^64; a key belongs to the first point at or after its
own place (Karger et al., "Consistent Hashing and Random Trees", 1997; ketama's 160 points a node).
When a node goes, only its own keys move.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b

from demo_stack.chassis.errors import LayoutError

POINTS = 160
"""Points of a node: enough for shares that differ by a few percent."""


class HashRing:
    """Nodes on a circle.

    Args:
        nodes: Their names, such as ``127.0.0.1:11211``.
        points: Points of each.

    Raises:
        LayoutError: There is no node.
    """

    def __init__(self, nodes: Sequence[str], points: int = POINTS) -> None:
        if not nodes:
            raise LayoutError("a hash ring needs at least one node; none was given")
        placed = sorted((_place(f"{node}#{n}"), node) for node in set(nodes) for n in range(points))
        self._places = [place for place, _ in placed]
        self._owners = [node for _, node in placed]

    def node(self, key: str) -> str:
        """Return the node that keeps ``key``."""
        place = bisect_left(self._places, _place(key))
        return self._owners[place % len(self._owners)]


def _place(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
