"""How much a JSON text holds, counted without making anything of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import kernel

_QUOTE, _ESCAPE, _COMMA = ord('"'), ord("\\"), ord(",")
_OPEN_LIST, _OPEN_OBJECT, _CLOSE_LIST, _CLOSE_OBJECT = b"[{]}"
# What the interpreter takes for a list or an object, for any other part, and their byte each.
_CONTAINER_BYTES, _PART_BYTES = 150, 16


class JsonParts(NamedTuple):
    """What a text holds: containers, all parts (texts, commas and containers), levels."""

    containers: int
    parts: int
    depth: int

    def memory(self, length: int) -> int:
        """Return about how many bytes it takes when it is decoded."""
        return length + self.containers * _CONTAINER_BYTES + self.parts * _PART_BYTES


@kernel
def _count(data: NDArray[np.uint8], found: NDArray[np.int64]) -> None:
    containers, parts, depth, deepest = 0, 0, 0, 0
    quoted, escaped = False, False
    for byte in data:
        if quoted:
            if escaped:
                escaped = False
            elif byte == _ESCAPE:
                escaped = True
            elif byte == _QUOTE:
                quoted = False
        elif byte == _QUOTE:
            quoted = True
            parts += 1
        elif byte == _COMMA:
            parts += 1
        elif byte in (_OPEN_LIST, _OPEN_OBJECT):
            containers += 1
            parts += 1
            depth += 1
            deepest = max(deepest, depth)
        elif byte in (_CLOSE_LIST, _CLOSE_OBJECT):
            depth -= 1
    found[0], found[1], found[2] = containers, parts, deepest


def count_json(body: bytes) -> JsonParts:
    """Count the parts of a text, well-formed or not.

    >>> count_json(b'{"a,b": [1, 2, {}]}')
    JsonParts(containers=3, parts=6, depth=3)
    """
    found = np.zeros(3, dtype=np.int64)
    _count(np.frombuffer(body, dtype=np.uint8), found)
    containers, parts, depth = found.tolist()
    return JsonParts(containers, parts, depth)
