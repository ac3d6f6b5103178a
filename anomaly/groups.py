"""Groups of an expression's lines: numbers for them, given on when a group is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

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
        self._remembered: list[_Remembered] = []

    def __len__(self) -> int:
        return len(self.scopes)

    @property
    def born(self) -> int:
        """How many groups have ever got a number: none has changed while this stays."""
        return self._born

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
        self._remembered += [_Remembered() for _ in frames[len(self._remembered) :]]
        found = [
            _Lines(frame, self._numbered(remembered, frame.tags if frame else ()))
            for frame, remembered in zip(frames, self._remembered, strict=False)
        ]
        strangers = self._note_seen(found)
        self._steps += steps
        self.refused = 0
        if strangers:
            places = self._places(spared)
            # Who was there last is watched first.
            for key in sorted(strangers, key=lambda key: -strangers[key]):
                self._admit(key, steps - 1 - strangers[key], places)
        return [self._table(lines, steps) for lines in found]

    def _numbered(self, remembered: _Remembered, tags: Sequence[Tags]) -> _Remembered:
        """Return the numbers of all lines; worked out again only for other lines or new groups."""
        if remembered.tags is not tags:
            remembered.tags = tags
            remembered.keys = [self._key(one) for one in tags]
            remembered.born = -1
        if remembered.born != self._born:
            remembered.born = self._born
            found = [self._numbers.get(key, -1) for key in remembered.keys]
            remembered.numbers = np.array(found, dtype=np.int64)
            remembered.distinct = len(set(found)) == len(found)
        return remembered

    def _key(self, tags: Tags) -> tuple[str, ...]:
        return tuple([tags.get(k, "") for k in self.keys])

    def _note_seen(self, found: Sequence[_Lines]) -> dict[tuple[str, ...], int]:
        """Note when known groups had a value; return new ones with their newest column."""
        strangers: dict[tuple[str, ...], int] = {}
        for lines in found:
            numbers = lines.remembered.numbers[lines.lines]
            known = numbers >= 0
            seen = self._steps + lines.newest + 1
            np.maximum.at(self._seen, numbers[known], seen[known])
            for at in np.flatnonzero(~known).tolist():
                key = lines.remembered.keys[lines.lines[at]]
                strangers[key] = max(int(lines.newest[at]), strangers.get(key, 0))
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
        remembered = self._numbered(lines.remembered, lines.remembered.tags)
        numbers = remembered.numbers[lines.lines]
        rows, numbers = lines.rows[numbers >= 0], numbers[numbers >= 0]
        result = np.full((len(self), steps), np.nan)
        if not len(numbers):
            return result
        if remembered.distinct or len(np.unique(numbers)) == len(numbers):
            result[numbers] = rows
            return result
        for number, values in zip(numbers, rows, strict=True):
            both = np.isfinite(result[number]) & np.isfinite(values)
            kept = np.where(np.isfinite(values), values, result[number])
            result[number] = kept + np.where(both, result[number], 0.0)
        return result


class _Remembered:
    """Lines as they were at the last step: a standing expression has the same ones for hours.

    Attributes:
        tags: Of each line, the very object that the frame came with.
        keys: Group of each line.
        numbers: (lines,) number of each group, -1 for none.
        distinct: Whether no number comes twice.
        born: How many groups had got a number when these were looked up.
    """

    def __init__(self) -> None:
        self.tags: Sequence[Tags] = ()
        self.keys: list[tuple[str, ...]] = []
        self.numbers: IntArray = np.zeros(0, dtype=np.int64)
        self.distinct = True
        self.born = -1


class _Lines:
    """The lines of a frame that have any value.

    Attributes:
        remembered: All lines of the frame.
        lines: Positions of those that have a value.
        rows: Their values, (lines, steps).
        newest: (lines,) the newest column in which each has a value.
    """

    def __init__(self, frame: Frame | None, remembered: _Remembered) -> None:
        self.remembered = remembered
        if frame is None:
            self.lines = self.newest = np.zeros(0, dtype=np.intp)
            self.rows: FloatArray = np.zeros((0, 0))
            return
        there = np.isfinite(frame.values)
        if there.all() and there.size:
            self.lines, self.rows = np.arange(len(there)), frame.values
            self.newest = np.full(len(there), there.shape[1] - 1)
            return
        self.lines = np.flatnonzero(there.any(axis=1))
        self.rows = frame.values[self.lines]
        columns = frame.values.shape[1]
        self.newest = columns - 1 - there[self.lines][:, ::-1].argmax(axis=1)
