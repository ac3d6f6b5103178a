"""Groups of an expression's lines, numbered in the order in which they were first seen."""

from __future__ import annotations

import numpy as np

from collectors.model import FloatArray, Frame, Tags

MAX_GROUPS = 10_000


class Groups:
    """Numbers for the combinations of values of some keys.

    Args:
        keys: Tag keys that make a group; none makes one group of everything.
        limit: Most groups kept; lines of further ones are counted in ``refused``.
    """

    def __init__(self, keys: tuple[str, ...], limit: int = MAX_GROUPS) -> None:
        self.keys = keys
        self.scopes: list[Tags] = []
        self.refused = 0
        self._limit = limit
        self._numbers: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        return len(self.scopes)

    def number(self, tags: Tags) -> int:
        """Return the number of the group of ``tags``, -1 when there is no room for a new one."""
        key = tuple(tags.get(k, "") for k in self.keys)
        known = self._numbers.get(key)
        if known is not None:
            return known
        if len(self.scopes) >= self._limit:
            self.refused += 1
            return -1
        self._numbers[key] = len(self.scopes)
        self.scopes.append(dict(zip(self.keys, key, strict=True)))
        return len(self.scopes) - 1

    def column(self, frame: Frame, index: int) -> FloatArray:
        """Return one column by group: shape (groups,), NaN where a group has no value.

        Lines of one group are added up. New groups are numbered first, so the answer has all.
        """
        values = frame.values[:, index]
        numbers = [
            self.number(tags) if not np.isnan(value) else self._known(tags)
            for tags, value in zip(frame.tags, values, strict=True)
        ]
        result = np.full(len(self.scopes), np.nan)
        for number, value in zip(numbers, values, strict=True):
            if number >= 0 and not np.isnan(value):
                result[number] = value if np.isnan(result[number]) else result[number] + value
        return result

    def _known(self, tags: Tags) -> int:
        return self._numbers.get(tuple(tags.get(k, "") for k in self.keys), -1)
