"""Lines that come and go, kept in the rows of an algorithm's table."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from collectors.model import FloatArray, Tags
from collectors.stacklang.numeric.algorithms import Algorithm

LineKey = tuple[tuple[str, str], ...]

# A line that never becomes empty by itself, such as an integral, is dropped when it has not been
# there for this long: state must not grow with every line that ever was.
MAX_ABSENT_STEPS = 14_400
_MIN_ROWS_TO_COMPACT = 64
_SKIP_AT_ONCE = 4_096


class LineTable:
    """Feeds an algorithm line by line, whichever lines there are at a step.

    Lines that are absent advance with missing values, as time passes for them as well.
    """

    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm = algorithm
        self._rows: dict[LineKey, int] = {}
        self._quiet: np.ndarray[tuple[int], np.dtype[np.int64]] = np.empty(0, dtype=np.int64)
        self._tags: Sequence[Tags] | None = None
        self._places: np.ndarray[tuple[int], np.dtype[np.intp]] = np.empty(0, dtype=np.intp)
        self._whole = False
        self._steps = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __deepcopy__(self, memo: dict[int, object]) -> LineTable:
        # Tags and keys never change, and the other arrays are replaced, not written to.
        twin = copy.copy(self)
        twin._algorithm = copy.deepcopy(self._algorithm, memo)  # noqa: SLF001 - of this class
        twin._rows = dict(self._rows)  # noqa: SLF001
        return twin

    def advance(
        self, tags: Sequence[Tags], values: FloatArray, elapsed_steps: int = 0
    ) -> FloatArray:
        """Take the next values of some lines; return the results for those lines.

        Args:
            tags: One entry a line; a line is known by its tags. The same object again stands for
                the same lines again.
            values: Shape (lines, steps).
            elapsed_steps: Steps before these; any that were left out count as missing.
        """
        self._skip_to(elapsed_steps)
        self._steps += values.shape[1]
        if tags is not self._tags:
            self._places = self._rows_for(tags)
            self._whole = np.array_equal(self._places, np.arange(len(self._rows)))
            self._tags = tags
        rows = self._places
        if self._whole:
            results = self._algorithm.advance(values)
            self._age(values)
            return results
        table = np.full((len(self._rows), values.shape[1]), np.nan)
        table[rows] = values
        results = self._algorithm.advance(table)[rows]
        self._age(table)
        return results

    def is_empty(self, row: int) -> bool:
        """Return whether a line's past no longer matters; a row not yet taken has none."""
        limit = self._algorithm.memory_steps
        if limit is None:
            return False
        return row >= len(self._quiet) or bool(self._quiet[row] >= limit)

    def _skip_to(self, elapsed_steps: int) -> None:
        while self._steps < elapsed_steps:
            missing = min(elapsed_steps - self._steps, _SKIP_AT_ONCE)
            nothing = np.full((len(self._rows), missing), np.nan)
            self._algorithm.advance(nothing)
            self._steps += missing
            self._age(nothing)

    def _rows_for(self, tags: Sequence[Tags]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        rows = np.empty(len(tags), dtype=np.intp)
        taken: set[int] = set()
        for index, entry in enumerate(tags):
            key: LineKey = tuple(sorted(entry.items()))
            row = self._rows.setdefault(key, len(self._rows))
            while row in taken:
                # Two lines with the same tags: tell them apart by their order.
                key = (*key, ("", str(len(taken))))
                row = self._rows.setdefault(key, len(self._rows))
            taken.add(row)
            rows[index] = row
        added = len(self._rows) - len(self._quiet)
        if added:
            self._quiet = np.concatenate([self._quiet, np.zeros(added, dtype=np.int64)])
        return rows

    def _age(self, table: FloatArray) -> None:
        steps = table.shape[1]
        present = ~np.isnan(table)
        if steps == 1:
            self._quiet = np.where(present[:, 0], 0, self._quiet + 1)
        else:
            since = np.where(present.any(axis=1), np.argmax(present[:, ::-1], axis=1), -1)
            self._quiet = np.where(since >= 0, since, self._quiet + steps)
        if len(self._quiet) < _MIN_ROWS_TO_COMPACT:
            return
        limit = self._algorithm.memory_steps
        dead = self._quiet >= (MAX_ABSENT_STEPS if limit is None else max(limit, 1))
        if dead.sum() * 2 > len(dead):
            self._compact(np.flatnonzero(~dead))

    def _compact(self, kept: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
        self._tags = None
        new_rows = {int(row): index for index, row in enumerate(kept)}
        self._rows = {key: new_rows[row] for key, row in self._rows.items() if row in new_rows}
        self._quiet = self._quiet[kept]
        self._algorithm.keep(kept)
