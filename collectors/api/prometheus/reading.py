"""What the endpoints need of the store, and what they tell of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.table import Labels
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import EVER, Source, Span
from collectors.stacklang.predicates.predicate import Query


class StoredSource(Source, Protocol):
    """A source of samples that knows its labels."""

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate over tags that matchers stand for."""
        ...

    def label_sets(self, matchers: Sequence[Matcher], words: Words, span_ms: Span = EVER) -> Labels:
        """Return the label sets of series that match, are held, and have samples in a span."""
        ...

    def label_names(self, matchers: Sequence[Matcher], span_ms: Span = EVER) -> list[str]:
        """Return the labels of such series, sorted."""
        ...

    def label_values(
        self, name: str, matchers: Sequence[Matcher], span_ms: Span = EVER
    ) -> list[str]:
        """Return the values of a label among such series, sorted."""
        ...

    def older(
        self, matchers: Sequence[Matcher], span_ms: Span
    ) -> tuple[Sequence[Mapping[str, str]], Sequence[str]]:
        """Return the label sets of series that history has in a span, and what is to be said."""
        ...

    def counted(self, name: str, matchers: Sequence[Matcher]) -> Mapping[str, int]:
        """Return how many series that match have each value of a label."""
        ...

    def counters(self) -> set[str]:
        """Return the names of metrics whose series are cumulative counters."""
        ...


class SampleStore(Protocol):
    """A store that speaks PromQL."""

    def samples(self) -> StoredSource:
        """Return it as it is now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What ``status`` tells; nothing in it is secret.

    Attributes:
        version: Of this program.
        started_ms: When it started, epoch milliseconds.
        retention: How long samples are kept, as Prometheus writes durations.
        flags: Settings by the names of Prometheus's flags.
    """

    version: str = ""
    started_ms: int = 0
    retention: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)
