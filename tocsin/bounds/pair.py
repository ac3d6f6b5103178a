"""What bounds nodes that keep copies for each other."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

PAIR: Final = (
    Bound("tocsin.cluster.place:MAX_NODE_NAME", "characters of a node's name", "it does not start"),
    Bound("tocsin.cluster.place:MAX_LEASE_MS", "a lease of the lead, which lasts two steps", "not longer: the other node leads after it"),
)  # fmt: skip
