"""Samples of many series in flat columns, and where they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.model import FloatArray, IntArray
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.table import Labels
from collectors.promql.labels.words import Words

STALE_BITS = 0x7FF0000000000002
"""The bits of the NaN that says: this series ended here."""

Span = tuple[int, int]
"""A first and a last time, epoch milliseconds, both included."""

EVER: Span = (0, 1 << 53)
"""All time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples of S series.

    Attributes:
        labels: The label set of each.
        offsets: (S + 1,) where the samples of each begin in the columns, the last is their end.
        times: (N,) epoch milliseconds, ascending within a series.
        values: (N,) values; those with :data:`STALE_BITS` end a series.
        drop_name: (S,) whether the name is to be dropped once the query is answered.
    """

    labels: Labels
    offsets: IntArray
    times: IntArray
    values: FloatArray
    drop_name: NDArray[np.bool_] | None = field(default=None)

    def fresh(self) -> Samples:
        """Return the samples without those that end a series."""
        if not len(self.values):
            return self
        kept = self.values.view(np.int64) != STALE_BITS
        if kept.all():
            return self
        counts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
        return Samples(
            labels=self.labels,
            offsets=counts[self.offsets],
            times=self.times[kept],
            values=self.values[kept],
            drop_name=self.drop_name,
        )


class Source(Protocol):
    """Where samples come from."""

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        """Return what was sampled after ``first_ms`` and up to ``last_ms`` by series that match."""
        ...

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield the same, some series at a time; none comes twice.

        With ``names`` other labels than these may be left out. A part's samples are void once the
        next one is asked for: their memory is used again.
        """
        ...


class FoundSamples:
    """A source that has been asked already: whatever is selected, these are it."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        """Return the samples."""
        del matchers, first_ms, last_ms, words
        return self._samples

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield the samples."""
        del names
        yield self.select(matchers, first_ms, last_ms, words)
