"""Label sets of many series: a column of word numbers for each label name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import IndexArray, IntArray
from collectors.promql.labels.words import Words

LabelSet = Mapping[str, str]
_ROOM = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The label sets of ``size`` series.

    Attributes:
        words: What the numbers stand for.
        columns: For each label name (size,) word numbers, 0 where a series lacks the label.
        size: Number of series.
    """

    words: Words
    columns: Mapping[str, IndexArray]
    size: int

    @classmethod
    def of(cls, words: Words, sets: Sequence[LabelSet]) -> Labels:
        """Return a table of label sets."""
        names = sorted({name for one in sets for name in one})
        columns = {name: words.numbers(one.get(name, "") for one in sets) for name in names}
        return cls(words=words, columns=columns, size=len(sets))

    @classmethod
    def blank(cls, words: Words, size: int) -> Labels:
        """Return ``size`` series without any label."""
        return cls(words=words, columns={}, size=size)

    def dicts(self) -> list[dict[str, str]]:
        """Return each set as a dictionary, its names sorted."""
        rows: list[dict[str, str]] = [{} for _ in range(self.size)]
        texts = self.words.texts
        for name in sorted(self.columns):
            for row, number in zip(rows, self.columns[name].tolist(), strict=True):
                if number:
                    row[name] = texts[number]
        return rows

    def column(self, name: str) -> IndexArray:
        """Return the word numbers of a label, zeros if no series has it."""
        found = self.columns.get(name)
        return np.zeros(self.size, dtype=np.int32) if found is None else found

    def values(self, name: str) -> list[str]:
        """Return a label's text for each series, empty where it is missing."""
        texts = self.words.texts
        return [texts[number] for number in self.column(name).tolist()]

    def take(self, rows: IntArray) -> Labels:
        """Return the sets of some rows."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Labels(words=self.words, columns=columns, size=len(rows))

    def without(self, names: Iterable[str]) -> Labels:
        """Return the sets without some labels."""
        gone = set(names)
        columns = {name: column for name, column in self.columns.items() if name not in gone}
        return Labels(words=self.words, columns=columns, size=self.size)

    def only(self, names: Iterable[str]) -> Labels:
        """Return the sets with nothing but some labels."""
        kept = set(names)
        columns = {name: column for name, column in self.columns.items() if name in kept}
        return Labels(words=self.words, columns=columns, size=self.size)

    def replaced(self, name: str, column: IndexArray) -> Labels:
        """Return the sets with one label as given: word numbers, one for each series."""
        columns = {**self.columns, name: column}
        return Labels(words=self.words, columns=columns, size=self.size)

    def ids(self) -> tuple[IntArray, IntArray]:
        """Return a number for each distinct set, in order of their first row.

        Returns:
            (size,) the number of each series' set; and the first row of each.
        """
        keys = np.zeros(self.size, dtype=np.int64)
        span = 1
        for column in self.columns.values():
            most = int(column.max(initial=0)) + 1
            if most == 1:
                continue
            if span > _ROOM // most:
                _, keys = np.unique(keys, return_inverse=True)
                span = int(keys.max(initial=0)) + 1
            keys = keys * most + column
            span *= most
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        # Numbered as they come, not as the numbers of words happen to sort.
        order = np.argsort(first, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return rank[inverse.reshape(-1)], first[order].astype(np.int64)


def joined(tables: Sequence[Labels]) -> Labels:
    """Return tables of the same words one below the other."""
    words = tables[0].words
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    columns = {name: np.concatenate([t.column(name) for t in tables]) for name in names}
    return Labels(words=words, columns=columns, size=sum(table.size for table in tables))
