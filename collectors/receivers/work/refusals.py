"""Why parts of a request are refused: the first ones each, a crowd of the same kind as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import SupportsIndex

from collectors.model import Rejection

# A sender is told the first few; a million of them would take half a gigabyte.
MAX_KEPT = 1_000


class Refusals(list[Rejection]):
    """A list that stays short: beyond ``MAX_KEPT`` a refusal adds to the count of its reason.

    >>> refusals = Refusals()
    >>> refusals.extend(Rejection(reason="badLine", detail=str(i)) for i in range(1_500))
    >>> len(refusals), refusals[-1].count, sum(refusal.count for refusal in refusals)
    (1001, 500, 1500)
    """

    def __init__(self, refusals: Iterable[Rejection] = ()) -> None:
        super().__init__()
        self._crowds: dict[str, int] = {}
        self.extend(refusals)

    def append(self, refusal: Rejection, /) -> None:
        """Add a refusal, or its count."""
        if len(self) < MAX_KEPT:
            super().append(refusal)
            return
        at = self._crowds.get(refusal.reason)
        if at is None:
            self._crowds[refusal.reason] = len(self)
            super().append(refusal)
        else:
            self[at] = replace(self[at], count=self[at].count + refusal.count)

    def extend(self, refusals: Iterable[Rejection], /) -> None:
        """Add some."""
        for refusal in refusals:
            self.append(refusal)

    def insert(self, index: SupportsIndex, refusal: Rejection, /) -> None:
        """Add a refusal; the order of what is refused means nothing."""
        del index
        self.append(refusal)

    def __iadd__(self, refusals: Iterable[Rejection], /) -> Refusals:  # type: ignore[misc,override]
        self.extend(refusals)
        return self
