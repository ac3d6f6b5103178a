"""A rule's expressions of both languages, advanced over time, and what they listen to.

Those of the stack language remember what they need of the past. A PromQL query remembers nothing:
it looks back over the samples in the store, so that a start gives what no restart would have given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anomaly.arrivals import ArrivalLog, Listened, listen
from anomaly.promql.steps import frame_at_steps
from anomaly.promql.written import query_in, selectors_of
from collectors.errors import InputError, QueryError, StorageError
from collectors.model import FloatArray, Frame, Tags
from collectors.promql.labels.matchers import Matcher
from collectors.promql.samples.columns import Source
from collectors.stacklang.evaluation.streaming import Mark, StreamingEvaluator
from collectors.stacklang.lines.database import Aggregate, Consolidation, Database, Fetch, Window
from collectors.stacklang.predicates.predicate import Query

# A sender of samples is there for so long after its last one: half as long again as it uses to
# wait, and no longer than PromQL looks back.
_PATIENCE = 1.5
_MAX_PATIENCE_MS = 300_000


class SampledSource(Source, Protocol):
    """Samples, and how their series are asked for elsewhere."""

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate for matchers."""
        ...


class SampledDatabase(Protocol):
    """A database that speaks PromQL, too."""

    def samples(self) -> SampledSource:
        """Return it as it is now."""
        ...


@dataclass(slots=True)
class Standing:
    """Standing expressions of a rule.

    Args:
        expressions: Texts, PromQL in the notation of :mod:`anomaly.promql.written`.
        step_ms: Length of a step.
        database: Where samples come from, if it has any.
    """

    expressions: Sequence[str]
    step_ms: int
    database: object
    _stack: StreamingEvaluator = field(init=False)
    _queries: dict[str, str] = field(init=False)
    _wrong: dict[str, InputError | StorageError] = field(init=False, default_factory=dict)
    _failed: dict[str, InputError | StorageError] = field(init=False, default_factory=dict)
    _tags: dict[str, Sequence[Tags]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        found = {one: query_in(one) for one in self.expressions}
        stack = {one: one for one, query in found.items() if query is None}
        self._queries = {one: query for one, query in found.items() if query is not None}
        self._stack = StreamingEvaluator(stack, self.step_ms, tolerant=True)
        for expression, query in list(self._queries.items()):
            try:
                selectors_of(query)
            except QueryError as error:
                self._wrong[expression] = error
                del self._queries[expression]

    @property
    def errors(self) -> Mapping[str, InputError | StorageError]:
        """What is wrong with an expression, or went wrong last time."""
        return {**self._stack.errors, **self._wrong, **self._failed}

    def advance_window(self, database: Database, window: Window) -> Mapping[str, Frame]:
        """Return what the expressions answer over the next steps; one that fails is left out.

        Args:
            database: For the expressions of the stack language.
            window: The steps.
        """
        found = dict(self._stack.advance_window(database, window))
        self._failed = {}
        for expression, query in self._queries.items():
            try:
                frame = frame_at_steps(query, self._samples(), window)
            except (InputError, StorageError) as error:
                self._failed[expression] = error
            else:
                found[expression] = replace(frame, tags=self._same(expression, frame.tags))
        return found

    def listened(
        self, database: Database, log: ArrivalLog, known: dict[Fetch, Listened]
    ) -> Mapping[str, Sequence[Listened]]:
        """Return when the data of each expression were last heard of.

        Args:
            database: Has their values.
            log: Knows when they came.
            known: What was found out already; added to.
        """
        found: dict[str, Sequence[Listened]] = {}
        for name in self._stack.names:
            found[name] = [_heard(database, log, one, known) for one in self._stack.requests(name)]
        for name, query in self._queries.items():
            requests = self._requests(query)
            heard = [_heard(database, log, one, known) for one in requests]
            found[name] = [_with_patience(one, self.step_ms) for one in heard]
        return found

    def mark(self) -> Mark:
        """Return where the expressions stand, for :meth:`back_to`."""
        return self._stack.mark()

    def back_to(self, mark: Mark) -> None:
        """Stand where they stood."""
        self._stack.back_to(mark)

    def _samples(self) -> SampledSource:
        samples = getattr(self.database, "samples", None)
        if samples is None:
            raise QueryError("this database holds no samples for PromQL: use the stack language")
        source: SampledSource = samples()
        return source

    def _requests(self, query: str) -> Iterable[Fetch]:
        """Return what a query asks of the newest step; patterns are matched with what is there."""
        window = Window.single(self.step_ms, self.step_ms)
        try:
            source = self._samples()
            asked = dict.fromkeys(source.query(one.matchers) for one in selectors_of(query))
        except (InputError, StorageError):
            return []
        return [
            Fetch(
                query=one,
                aggregate=Aggregate.ALL,
                consolidation=Consolidation.AVG,
                window=window,
            )
            for one in asked
        ]

    def _same(self, expression: str, tags: Sequence[Tags]) -> Sequence[Tags]:
        """Return the tags as the object that they were last, unless they are others."""
        before = self._tags.get(expression)
        if before is not None and list(before) == list(tags):
            return before
        self._tags[expression] = tags
        return tags


def _heard(
    database: Database, log: ArrivalLog, request: Fetch, known: dict[Fetch, Listened]
) -> Listened:
    if request not in known:
        known[request] = listen(database, log, request)
    return known[request]


def _with_patience(one: Listened, step_ms: int) -> Listened:
    """Return what was heard, each sample good until its sender's next is overdue."""

    def values(window: Window) -> FloatArray:
        before_ms = _MAX_PATIENCE_MS
        longer = Window(
            start_ms=window.start_ms - before_ms, end_ms=window.end_ms, step_ms=window.step_ms
        )
        held = there_with_patience(np.isfinite(one.values(longer)), _MAX_PATIENCE_MS // step_ms)
        return np.where(held[:, -window.steps :], 1.0, np.nan)

    return replace(one, values=values)


def there_with_patience(there: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return in which steps a sender counts as speaking that may wait between two samples.

    Args:
        there: (senders, steps) where there is a sample.
        most: No sample is good for more steps than this.

    >>> once_in_three = np.array([[1, 0, 0, 1, 0, 0, 0, 0, 0]], dtype=bool)
    >>> there_with_patience(once_in_three, 30).astype(int).tolist()
    [[1, 1, 1, 1, 1, 1, 1, 1, 0]]
    """
    steps = there.shape[1]
    at = np.arange(steps)
    count = there.sum(axis=1)
    first = there.argmax(axis=1)
    last = steps - 1 - there[:, ::-1].argmax(axis=1)
    usual = (last - first) / np.maximum(1, count - 1)
    good_for = np.clip(np.ceil(np.maximum(1, usual) * _PATIENCE), 1, most) - 1
    newest = np.maximum.accumulate(np.where(there, at, -steps - most), axis=1)
    # One that is there in every step is missed at once.
    good_for = np.where(usual <= 1, 0, good_for)
    found: NDArray[np.bool_] = (at - newest) <= good_for[:, np.newaxis]
    return found
