"""Groups of an expression's lines: numbers for them, given on when a group is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, Frame, IntArray, Tags

MAX_GROUPS = 10_000
# A group that has had no value for so many steps may give its number to another.
_GONE_STEPS = 3


def _any(number: int) -> bool:
    del number
    return True


class Groups:
    """Numbers for the combinations of values of some keys.

    Args:
        keys: Tag keys that make a group; none makes one group of everything.
        limit: Most groups at once. When there are more, those that are gone give way; lines of what
            finds no number are counted in ``refused``.

    Attributes:
        scopes: Tags of each group by number.
        births: Grows whenever a number is given to a group: what was known under the same number
            and another birth was known of somebody else.
        refused: Lines of the newest table that found no number.
    """

    def __init__(self, keys: tuple[str, ...], limit: int = MAX_GROUPS) -> None:
        self.keys = keys
        self.scopes: list[Tags] = []
        self.births: IntArray = np.zeros(0, dtype=np.int64)
        self.refused = 0
        self._limit = limit
        self._numbers: dict[tuple[str, ...], int] = {}
        self._seen: IntArray = np.zeros(0, dtype=np.int64)
        self._steps = 0
        self._born = 0

    def __len__(self) -> int:
        return len(self.scopes)

    def known(self, tags: Tags) -> int:
        """Return the number of the group of ``tags``, -1 when there is none."""
        return self._numbers.get(self._key(tags), -1)

    def tables(
        self,
        frames: Sequence[Frame | None],
        steps: int,
        spared: Callable[[int], bool] = _any,
    ) -> list[FloatArray]:
        """Return the values by group of several frames: shape (groups, steps) each, NaN for none.

        Lines of one group are added up. Lines without any value make no new group.

        Args:
            frames: Lines over the same ``steps`` columns; None is no data at all.
            steps: Number of columns.
            spared: Whether a group that is gone may give its number to another.
        """
        found = [_Lines(frame) for frame in frames]
        strangers = self._note_seen(found)
        self._steps += steps
        self.refused = 0
        places = self._places(spared)
        # Who was there last is watched first.
        for key in sorted(strangers, key=lambda key: -strangers[key]):
            self._admit(key, steps - 1 - strangers[key], places)
        return [self._table(lines, steps) for lines in found]

    def _key(self, tags: Tags) -> tuple[str, ...]:
        return tuple([tags.get(k, "") for k in self.keys])

    def _note_seen(self, found: Sequence[_Lines]) -> dict[tuple[str, ...], int]:
        """Note when known groups had a value; return new ones with their newest column."""
        strangers: dict[tuple[str, ...], int] = {}
        for lines in found:
            lines.keys = [self._key(tags) for tags in lines.tags]
            for key, newest in zip(lines.keys, lines.newest.tolist(), strict=True):
                number = self._numbers.get(key, -1)
                if number < 0:
                    strangers[key] = max(newest, strangers.get(key, 0))
                else:
                    self._seen[number] = max(self._seen[number], self._steps + newest + 1)
        return strangers

    def _places(self, spared: Callable[[int], bool]) -> Iterator[int]:
        """Yield numbers for new groups: first new ones, then those of groups that are gone."""
        yield from range(len(self.scopes), self._limit)
        gone = np.flatnonzero(self._seen <= self._steps - _GONE_STEPS)
        for number in gone[np.argsort(self._seen[gone], kind="stable")].tolist():
            if spared(number):
                yield number

    def _admit(self, key: tuple[str, ...], steps_ago: int, places: Iterator[int]) -> None:
        number = next(places, -1)
        if number < 0:
            self.refused += 1
            return
        tags = dict(zip(self.keys, key, strict=True))
        if number == len(self.scopes):
            self.scopes.append(tags)
            self.births = np.append(self.births, 0)
            self._seen = np.append(self._seen, 0)
        else:
            del self._numbers[self._key(self.scopes[number])]
            self.scopes[number] = tags
        self._born += 1
        self.births[number] = self._born
        self._seen[number] = self._steps - steps_ago
        self._numbers[key] = number

    def _table(self, lines: _Lines, steps: int) -> FloatArray:
        numbers = np.array([self._numbers.get(key, -1) for key in lines.keys], dtype=np.int64)
        rows, numbers = lines.rows[numbers >= 0], numbers[numbers >= 0]
        result = np.full((len(self), steps), np.nan)
        if not len(numbers):
            return result
        if len(np.unique(numbers)) == len(numbers):
            result[numbers] = rows
            return result
        for number, values in zip(numbers, rows, strict=True):
            both = np.isfinite(result[number]) & np.isfinite(values)
            kept = np.where(np.isfinite(values), values, result[number])
            result[number] = kept + np.where(both, result[number], 0.0)
        return result


class _Lines:
    """The lines of a frame that have any value.

    Attributes:
        rows: Their values, (lines, steps).
        tags: Their tags.
        newest: (lines,) the newest column in which each has a value.
        keys: Their groups.
    """

    def __init__(self, frame: Frame | None) -> None:
        self.keys: list[tuple[str, ...]] = []
        if frame is None:
            self.rows: FloatArray = np.zeros((0, 0))
            self.tags: Sequence[Tags] = ()
            self.newest: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
            return
        there = np.isfinite(frame.values)
        lines = np.flatnonzero(there.any(axis=1))
        self.rows = frame.values[lines]
        self.tags = [frame.tags[line] for line in lines.tolist()]
        columns = frame.values.shape[1]
        self.newest = columns - 1 - there[lines][:, ::-1].argmax(axis=1)
