"""What is kept of a target's pages: its series, the types of its metrics, how its lines begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.errors import DecodeError, TooLargeError
from collectors.metric_kinds import MetricType, family_kind, series_of_family
from collectors.model import IntArray, Rejection, SeriesKind
from collectors.receivers.prometheus.exposition.metadata import parse_type

# Held for each target; set sample_limit to stop earlier.
MAX_SERIES = 500_000
# TYPE lines of one page, and of all pages until what they said is forgotten.
MAX_TYPES = 200_000
# Beginnings of lines beside one for each series: comments, other ways to write a series.
MAX_SPARE_STARTS = 400_000

SKIP = -1
"""Stands for a beginning that is no series: its lines tell nothing."""
FIRST_TYPE = -2
"""From here downwards, a beginning is that of a TYPE line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedSeries:
    """A series as the target names it."""

    name: str
    labels: dict[str, str]
    kind: SeriesKind


class LineMemory:
    """The memory of one target's pages.

    Attributes:
        series: All that pages had, until :meth:`compact`.
        starts: By the text of a line up to its last space: the index of the series that it names,
            :data:`SKIP`, or which TYPE line it is.
        type_words: The last word of each TYPE line that is known, from :data:`FIRST_TYPE` on.
        types: What was told of metrics. It is replaced, never changed.
    """

    def __init__(self) -> None:
        self.series: list[ExposedSeries] = []
        self.starts: dict[bytes, int] = {}
        self.type_words: list[bytes] = []
        self.types: dict[str, MetricType] = {}
        self._names: set[str] = set()
        self._identities: dict[tuple[str, frozenset[tuple[str, str]], SeriesKind], int] = {}

    @property
    def full(self) -> bool:
        """Whether more is remembered of lines than their series and types account for."""
        spare = len(self.starts) - len(self.series)
        return spare > MAX_SPARE_STARTS or len(self.type_words) > MAX_TYPES

    def index_of(self, name: str, labels: dict[str, str]) -> int:
        """Return the index of a series; it may be new, or have been written in another way."""
        kind = family_kind(name, self.types)
        identity = (name, frozenset(labels.items()), kind)
        index = self._identities.get(identity)
        if index is None:
            index = len(self.series)
            if index >= MAX_SERIES:
                raise TooLargeError(f"the target exposes more than {MAX_SERIES} series")
            self._identities[identity] = index
            self.series.append(ExposedSeries(name=name, labels=labels, kind=kind))
            self._names.add(name)
        return index

    def learn_types(self, lines: list[bytes]) -> list[Rejection]:
        """Take the types that a page tells; return which lines are wrong.

        They hold for the whole page, wherever they stand. Of one metric the first counts.
        """
        types: dict[str, MetricType] = {}
        flaws: list[Rejection] = []
        for number, line in enumerate(lines, start=1):
            stripped = line.strip(b" \t")
            if not stripped.startswith(b"#"):
                continue
            try:
                found = parse_type(stripped)
            except DecodeError as error:
                flaws.append(
                    Rejection(reason="invalidType", detail=f"line {number}: {error.message}")
                )
                continue
            if found is None:
                continue
            if types.setdefault(*found) != found[1]:
                detail = f"line {number}: {found[0][:120]} has another type on the same page"
                flaws.append(Rejection(reason="contradictingType", detail=detail))
                continue
            self._remember_type(stripped)
        if len(types) > MAX_TYPES:
            raise TooLargeError(f"the target has more than {MAX_TYPES} TYPE lines")
        self._settle(types)
        return flaws

    def _remember_type(self, line: bytes) -> None:
        start, _, word = line.rpartition(b" ")
        if not start.startswith(b"# TYPE ") or b"\t" in line:
            return  # it would stand for other lines as well
        index = self.starts.get(start)
        if index is None:
            self.starts[start] = FIRST_TYPE - len(self.type_words)
            self.type_words.append(word)
        elif index <= FIRST_TYPE:
            self.type_words[FIRST_TYPE - index] = word

    def _settle(self, types: dict[str, MetricType]) -> None:
        """Have series take other kinds if what is told of their metrics has changed."""
        changed = [name for name, found in types.items() if self.types.get(name) != found]
        if changed:
            self.types = {**self.types, **types}
        if any(part in self._names for name in changed for part in series_of_family(name)):
            self.starts = {start: i for start, i in self.starts.items() if i < 0}

    def forget_lines(self) -> None:
        """Forget how lines begin and what was told of types; series keep their index."""
        self.starts = {}
        self.type_words = []
        self.types = {}

    def undo(self, count: int, types: dict[str, MetricType]) -> None:
        """Return to the first ``count`` series and to ``types``: the page does not count."""
        if len(self.series) > count:
            self.compact(np.arange(count))
        if self.types is not types:
            self.forget_lines()
            self.types = types

    def compact(self, live: IntArray) -> IntArray:
        """Forget the series outside of ``live``; return where each old index went, else -1."""
        moved = np.full(len(self.series), -1, dtype=np.int64)
        moved[live] = np.arange(len(live))
        self.series = [self.series[i] for i in live.tolist()]
        self._names = {series.name for series in self.series}
        self.starts = {
            start: int(moved[i]) if i >= 0 else i
            for start, i in self.starts.items()
            if i < 0 or moved[i] >= 0
        }
        self._identities = {
            identity: int(moved[i]) for identity, i in self._identities.items() if moved[i] >= 0
        }
        return moved
