"""All nodes as PromQL sees them: samples are fetched, and what is computed of them is here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from collectors.cluster.asking.fan_out import FanOut
from collectors.cluster.asking.merging import added_counts
from collectors.cluster.asking.questions import (
    Question,
    labels_from,
    matchers_question,
    query_question,
    samples_of,
    samples_question,
)
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.table import Labels, joined
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import EVER, Samples, Span
from collectors.stacklang.predicates.predicate import Query
from collectors.store.promql_query import query_of
from collectors.store.sampling import merged_samples


class ClusterSource:
    """Samples of all nodes; a :class:`~collectors.promql.samples.columns.Source`.

    Args:
        fan_out: Asks the nodes.
    """

    def __init__(self, fan_out: FanOut) -> None:
        self.fan_out = fan_out

    def query(self, matchers: Sequence[Matcher]) -> Query:
        """Return the predicate for matchers; nodes are asked only where there is a pattern."""
        return query_of(matchers, self._values)

    def _values(self, key: str, narrow: Query) -> list[str]:
        question = query_question("values", narrow, key=key, after="", most=None)
        said = self.fan_out.gather(question)
        return sorted({value for one in said for value in one.frame.head})

    def select(
        self, matchers: Sequence[Matcher], first_ms: int, last_ms: int, words: Words
    ) -> Samples:
        """Return what was sampled after ``first_ms`` and up to ``last_ms`` by series that match."""
        return merged_samples(list(self.parts(matchers, first_ms, last_ms, words)), words)

    def parts(
        self,
        matchers: Sequence[Matcher],
        first_ms: int,
        last_ms: int,
        words: Words,
        names: Collection[str] | None = None,
    ) -> Iterator[Samples]:
        """Yield the same, those of one node at a time: no series is answered by two."""
        question = samples_question(matchers, first_ms, last_ms, names)
        for one in self.fan_out.gather(question, first_ms):
            samples = samples_of(one.frame, words)
            if samples.labels.size:
                yield samples

    def label_sets(self, matchers: Sequence[Matcher], words: Words, span_ms: Span = EVER) -> Labels:
        """Return the label sets of series that match, are held, and have samples in a span."""
        said = self.fan_out.gather(matchers_question("label_sets", matchers, span=list(span_ms)))
        found = [labels_from(one.frame, words) for one in said]
        return joined(found) if found else Labels.blank(words, 0)

    def label_names(self, matchers: Sequence[Matcher], span_ms: Span = EVER) -> list[str]:
        """Return the labels of such series, sorted."""
        said = self.fan_out.gather(matchers_question("label_names", matchers, span=list(span_ms)))
        return sorted({name for one in said for name in one.frame.head})

    def label_values(
        self, name: str, matchers: Sequence[Matcher], span_ms: Span = EVER
    ) -> list[str]:
        """Return the values of a label among such series, sorted."""
        question = matchers_question("label_values", matchers, name=name, span=list(span_ms))
        return sorted({value for one in self.fan_out.gather(question) for value in one.frame.head})

    def older(
        self, matchers: Sequence[Matcher], span_ms: Span
    ) -> tuple[list[Mapping[str, str]], list[str]]:
        """Return the label sets of series that history has in a span, and what is to be said."""
        said = self.fan_out.gather(matchers_question("older", matchers, span=list(span_ms)))
        found = [one for answer in said for one in answer.frame.head[0]]
        return found, list(dict.fromkeys(note for one in said for note in one.frame.head[1]))

    def counted(self, name: str, matchers: Sequence[Matcher]) -> dict[str, int]:
        """Return how many series that match have each value of a label."""
        said = self.fan_out.gather(matchers_question("counted", matchers, name=name))
        return added_counts([one.frame.head for one in said])

    def counters(self) -> set[str]:
        """Return the names of metrics whose series are cumulative counters."""
        said = self.fan_out.gather(Question(kind="counters"))
        return {name for one in said for name in one.frame.head}
