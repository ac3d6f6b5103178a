"""How large expressions are: a short program can build one that nothing could walk.

``:dup,:add`` doubles an expression whose halves are the same object, so size can't be seen from
the memory taken or from the program's length.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from collectors.stacklang.expression import Expr
from collectors.stacklang.text.faults import illegal_state

MAX_SIZE = 50_000
_CHARACTERS_A_NODE = 64


class Sizes:
    """Counts the nodes of stack items, looking at each object once."""

    def __init__(self) -> None:
        # The object is kept with its size, so that its id stays its own.
        self._known: dict[int, tuple[object, int]] = {}

    def check(self, stack: list[object]) -> None:
        """Refuse what is new at the top of a stack if it is too large.

        Raises:
            QueryError: It is.
        """
        for item in reversed(stack):
            if id(item) in self._known:
                return
            if self._size(item) > MAX_SIZE:
                raise illegal_state(f"expression is too large: limit of {MAX_SIZE} nodes exceeded")

    def _size(self, item: object) -> int:
        if isinstance(item, str):
            return 1 + len(item) // _CHARACTERS_A_NODE
        if not isinstance(item, Expr | list | tuple):
            return 1
        known = self._known.get(id(item))
        if known is None:
            known = (item, 1 + sum(self._size(child) for child in _children(item)))
            self._known[id(item)] = known
        return known[1]


def _children(item: Expr | list[object] | tuple[object, ...]) -> list[object]:
    if isinstance(item, Expr):
        kind: Any = type(item)
        return [getattr(item, name) for name in _field_names(kind)]
    return list(item)


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(entry.name for entry in dataclasses.fields(kind))
