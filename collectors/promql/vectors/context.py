"""What an evaluation knows besides the expression: its steps, its source, its options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from collectors.budget import spend
from collectors.model import IntArray
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.words import Words
from collectors.promql.language.durations import resolve
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import At, Duration
from collectors.promql.samples.columns import Samples, Source
from collectors.promql.vectors.annotations import Annotations

LOOKBACK_MS = 300_000
SUBQUERY_STEP_MS = 60_000

MAX_QUERY_POINTS = 11_000
"""Steps that one range query may have, as in Prometheus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How expressions are evaluated.

    Attributes:
        lookback_ms: How far back an instant finds a sample.
        subquery_step_ms: The step of subqueries that name none.
        delayed_names: Names are dropped at the end, not where a function drops them.
    """

    lookback_ms: int = LOOKBACK_MS
    subquery_step_ms: int = SUBQUERY_STEP_MS
    delayed_names: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a part of an expression is evaluated.

    Attributes:
        source: Where samples come from.
        options: How it is evaluated.
        notes: What is to be said of the answer.
        words: The texts of all label sets.
        times: (T,) epoch milliseconds of the steps, ascending.
        step_ms: Their distance.
        first_ms: Start of the whole query, ``@ start()``.
        last_ms: Its end.
        query_step_ms: Its step.
    """

    source: Source
    options: Options
    notes: Annotations
    words: Words
    times: IntArray
    step_ms: int
    first_ms: int
    last_ms: int
    query_step_ms: int

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.times)

    def at_times(self, times: IntArray, step_ms: int) -> Context:
        """Return the context of other steps."""
        return replace(self, times=times, step_ms=step_ms)

    def ms(self, duration: Duration, *, positive: bool = False) -> int:
        """Return a duration's milliseconds here.

        Raises:
            PromqlError: It can't be computed, or is not positive where it must be.
        """
        try:
            found = resolve(
                duration, step_ms=self.query_step_ms, range_ms=self.last_ms - self.first_ms
            )
        except (ValueError, OverflowError) as error:
            raise PromqlError(f"duration: {error}") from None
        if positive and found <= 0:
            raise PromqlError("duration must be greater than 0")
        return found

    def ends(self, at: At | None, offset_ms: int) -> IntArray:
        """Return the ends of a selector's windows: (T,), or (1,) if they are all the same."""
        if at is None:
            return self.times - offset_ms
        fixed = {"start": self.first_ms, "end": self.last_ms}.get(at.edge, at.time_ms)
        return np.array([fixed - offset_ms], dtype=np.int64)

    def select(self, matchers: Sequence[Matcher], ends: IntArray, range_ms: int) -> Samples:
        """Return the samples of windows of ``range_ms`` that end at ``ends``."""
        if not len(ends):
            ends = np.zeros(1, dtype=np.int64)
        return self.source.select(matchers, int(ends[0]) - range_ms, int(ends[-1]), self.words)

    def reserve(self, series: int) -> None:
        """Count what values of as many series take, before they are made."""
        spend(9 * series * self.steps, "series of an expression")
