"""What follows from tags alone: orders, labels, joins. Worked out again only when the tags change.

Standing expressions see the same lines step after step; only values are new. A database that
answers with the same ``tags`` object as before, or an equal one, says that nothing came or went,
and everything that was derived from it still holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

MAX_LAYOUTS = 200_000

Layout = TypeVar("Layout")


@dataclass(frozen=True, slots=True)
class _Kept:
    # Owner and inputs are held so that no other object can take over their identity.
    owner: object
    inputs: tuple[object, ...]
    layout: object


class Layouts:
    """Layouts by the expression that they belong to, known by identity: equality would be slow.

    >>> layouts, owner, tags = Layouts(), object(), [{"name": "sps"}]
    >>> first = layouts.get(owner, (tags,), lambda: ["a label"])
    >>> layouts.get(owner, (tags,), lambda: ["never made"]) is first
    True
    """

    def __init__(self) -> None:
        self._kept: dict[int, _Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, owner: object, inputs: tuple[object, ...], make: Callable[[], Layout]) -> Layout:
        """Return what ``make`` made of the same ``inputs`` for ``owner``.

        Args:
            owner: The expression; a layout is kept for each.
            inputs: What the layout is derived from; never changed in place.
            make: Derives it.
        """
        known = self._kept.get(id(owner))
        if known is not None and known.owner is not owner:
            known = None
        if known is not None and _same(known.inputs, inputs):
            return cast("Layout", known.layout)
        made = (
            cast("Layout", known.layout) if known is not None and known.inputs == inputs else make()
        )
        if len(self._kept) >= MAX_LAYOUTS:
            self._kept.clear()
        self._kept[id(owner)] = _Kept(owner, inputs, made)
        return made


def _same(known: tuple[object, ...], inputs: tuple[object, ...]) -> bool:
    return all(left is right for left, right in zip(known, inputs, strict=True))
