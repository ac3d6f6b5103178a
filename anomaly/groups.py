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

    def known(self, tags: Tags) -> int:
        """Return the number of the group of ``tags``, -1 when there is none."""
        return self._numbers.get(tuple([tags.get(k, "") for k in self.keys]), -1)

    def number(self, tags: Tags) -> int:
        """Return the number of the group of ``tags``, -1 when there is no room for a new one."""
        key = tuple([tags.get(k, "") for k in self.keys])
        known = self._numbers.get(key)
        if known is not None:
            return known
        if len(self.scopes) >= self._limit:
            self.refused += 1
            return -1
        self._numbers[key] = len(self.scopes)
        self.scopes.append(dict(zip(self.keys, key, strict=True)))
        return len(self.scopes) - 1

    def table(self, frame: Frame | None, steps: int) -> FloatArray:
        """Return the values by group: shape (groups, steps), NaN where a group has no value.

        Lines of one group are added up. Lines without any value make no new group.

        Args:
            frame: Lines over ``steps`` columns; None is no data at all.
            steps: Number of columns.
        """
        if frame is None:
            return np.full((len(self), steps), np.nan)
        lines = np.flatnonzero(np.isfinite(frame.values).any(axis=1))
        numbers = np.array(
            [self.number(frame.tags[line]) for line in lines.tolist()], dtype=np.int64
        )
        lines, numbers = lines[numbers >= 0], numbers[numbers >= 0]
        result = np.full((len(self), steps), np.nan)
        if len(np.unique(numbers)) == len(numbers):
            result[numbers] = frame.values[lines]
            return result
        for number, values in zip(numbers, frame.values[lines], strict=True):
            both = np.isfinite(result[number]) & np.isfinite(values)
            kept = np.where(np.isfinite(values), values, result[number])
            result[number] = kept + np.where(both, result[number], 0.0)
        return result
