"""Judgement over all nodes: by one of them, of whole answers, and later rather than of a part."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from collectors.clock import Clock
from collectors.cluster.asking.database import ClusterDatabase
from collectors.cluster.asking.source import ClusterSource
from collectors.errors import StorageError
from collectors.missing import noting
from collectors.model import Batch, MetricWriter, Receipt
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import Samples
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.stacklang.predicates.predicate import Query
from collectors.store.arrivals import Heard, News
from collectors.tag_counts import TagCounts


@contextmanager
def whole() -> Iterator[None]:
    """Refuse an answer that lacks what other nodes hold.

    Raises:
        StorageError: It does; what is not known is no fact, and no alert resolves by it. That a
            holder is younger than what is asked of is no reason to judge nothing for hours.
    """
    with noting(doubts=False) as missing:
        yield
    if missing:
        raise StorageError(f"not judged: {'; '.join(missing)}")


class WholeDatabase:
    """What rules, objectives and detectors ask: all nodes, or none.

    Args:
        database: All nodes.
        writer: Where what rules compute goes.
    """

    def __init__(self, database: ClusterDatabase, writer: MetricWriter) -> None:
        self._database = database
        self._writer = writer

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._database.step_ms

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``.

        Raises:
            StorageError: A part of it is missing.
        """
        with whole():
            return self._database.fetch(request)

    def samples(self) -> WholeSource:
        """Return it as PromQL sees it."""
        return WholeSource(self._database.samples())

    def write(self, batch: Batch) -> Receipt:
        """Keep a batch on the nodes that hold its series."""
        return self._writer.write(batch)

    def heard(self, request: Fetch) -> Heard:
        """Return when series were last heard of, as far as nodes answer."""
        return self._database.heard(request)

    def newest_ms(self, request: Fetch) -> int:
        """Return the end of the newest step in which any series that matches has a value, or 0."""
        return self._database.newest_ms(request)

    def take_news(self) -> News:
        """Return what was written to this node since the last call."""
        return self._database.take_news()

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag."""
        return self._database.tag_counts(query, most)


class WholeSource(ClusterSource):
    """Samples of all nodes, or of none.

    Args:
        source: All nodes.
    """

    def __init__(self, source: ClusterSource) -> None:
        super().__init__(source.fan_out)

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate for matchers."""
        with whole():
            return super().query(matchers)

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield what was sampled by series that match.

        Raises:
            StorageError: A part of it is missing.
        """
        with whole():
            found = list(super().parts(matchers, first_ms, last_ms, words, names))
        yield from found


class Judging(Protocol):
    """A node among others."""

    @property
    def judgement(self) -> Judgement:
        """Says when it may judge."""
        ...


def judges(shards: Judging | None, begin_again: Callable[[], object]) -> bool:
    """Return whether this process judges the steps that are over.

    Args:
        shards: This node among others; None: there are no others.
        begin_again: Has every rule begin anew, after another node judged.
    """
    if shards is None:
        return True
    if not shards.judgement.may():
        return False
    if shards.judgement.begins_again():
        begin_again()
    return True


class Judgement:
    """Says when this node may judge a step.

    Args:
        leads: Whether it judges for all.
        missing: Returns how many slots nobody answers for.
        clock: The present.
        max_wait_ms: How long missing shares are waited for. After it steps are judged without what
            asks for them, which is told as a fault of each such expression.
    """

    def __init__(
        self,
        leads: Callable[[], bool],
        missing: Callable[[], int],
        clock: Clock,
        max_wait_ms: int,
    ) -> None:
        self._leads = leads
        self._missing = missing
        self._clock = clock
        self._max_wait_ms = max_wait_ms
        self._since_ms: int | None = None
        self._led = False
        self._ever = False

    def may(self) -> bool:
        """Return whether to judge now: this node leads, and nothing is missing that may come."""
        if not self._leads():
            self._led = False
            return False
        if not self._missing():
            self._since_ms = None
            return True
        now_ms = self._clock.now_ms()
        if self._since_ms is None or self._since_ms > now_ms:
            self._since_ms = now_ms
        return now_ms - self._since_ms >= self._max_wait_ms

    def begins_again(self) -> bool:
        """Return whether this node leads again after another did: its rules know too little."""
        again = self._ever and not self._led
        self._led = self._ever = True
        return again
