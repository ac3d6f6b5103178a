"""A source that holds its samples in memory: for tests, rule tests and examples."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.table import Labels, LabelSet
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import Samples


class MemorySource:
    """Series by their labels; samples that come later replace those of the same time."""

    def __init__(self) -> None:
        self._series: dict[tuple[tuple[str, str], ...], tuple[IntArray, FloatArray]] = {}

    def add(
        self,
        labels: LabelSet,
        times_ms: Sequence[int] | IntArray,
        values: Sequence[float] | FloatArray,
    ) -> None:
        """Add samples to a series."""
        key = tuple(sorted((name, value) for name, value in labels.items() if value))
        old_times, old_values = self._series.get(key, (np.zeros(0, np.int64), np.zeros(0)))
        times = np.concatenate([np.asarray(times_ms, dtype=np.int64), old_times])
        merged = np.concatenate([np.asarray(values, dtype=np.float64), old_values])
        kept, first = np.unique(times, return_index=True)
        self._series[key] = (kept, merged[first])

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        """Return what was sampled after ``first_ms`` and up to ``last_ms`` by series that match."""
        keys = list(self._series)
        sets = [dict(key) for key in keys]
        chosen = np.ones(len(keys), dtype=np.bool_)
        for matcher in matchers:
            chosen &= matcher.holds([one.get(matcher.name, "") for one in sets])
        found: list[LabelSet] = []
        times: list[IntArray] = []
        values: list[FloatArray] = []
        for row in np.flatnonzero(chosen).tolist():
            own_times, own_values = self._series[keys[row]]
            low, high = np.searchsorted(own_times, [first_ms, last_ms], side="right")
            if high > low:
                found.append(sets[row])
                times.append(own_times[low:high])
                values.append(own_values[low:high])
        ends = np.cumsum([0, *(len(one) for one in times)], dtype=np.int64)
        return Samples(
            labels=Labels.of(words, found),
            offsets=ends,
            times=np.concatenate([np.zeros(0, np.int64), *times]),
            values=np.concatenate([np.zeros(0), *values]),
        )

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield all of it at once."""
        del names
        yield self.select(matchers, first_ms, last_ms, words)
