"""What is different about the bad ones: attributes that set one group of spans apart.

For each attribute value the share among the bad spans is held against the share among the others;
differences are ranked by the likelihood ratio (G², Dunning 1993), so that neither a rare value in
few spans nor a tiny shift in many comes first.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.attribute_text import text_of
from collectors.model import Span
from collectors.traces.tree.sampling import adjusted_count

# G² of one degree of freedom at p = 0.001: below this a difference is taken for chance.
SIGNIFICANT = 10.83

# A key whose values are nearly all different names the span, it doesn't describe it.
_MAX_DISTINCT_SHARE = 0.5
_MAX_DISTINCT = 10_000
_MAX_VALUE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One attribute value that is more frequent among the bad spans.

    Counts and shares are of what the spans stand for. ``lift`` is the ratio of the two shares,
    infinite if no good span has the value.
    """

    key: str
    value: str
    bad_count: float
    bad_share: float
    good_count: float
    good_share: float
    lift: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many spans were compared, and what sets the bad ones apart, strongest first.

    Attributes:
        bad_spans: What the bad ones stand for, where their senders sample.
        good_spans: What the others stand for.
        bad_observed: Bad spans that were seen and compared.
        good_observed: Others that were seen and compared.
        differences: What sets the bad ones apart.
    """

    bad_spans: float
    good_spans: float
    bad_observed: int
    good_observed: int
    differences: tuple[Difference, ...]


class _Group:
    """Counts of a group of spans, those of each attribute value too.

    Attributes:
        observed: Spans that were seen.
        weight: What they stand for.
        counts: The same by key and value.
        evidence: Spans of equal weight that would tell as much as one of these does (Kish 1965).
    """

    def __init__(self, spans: Sequence[Span]) -> None:
        self.observed = len(spans)
        self._seen: Counter[tuple[str, str]] = Counter()
        self.counts: defaultdict[tuple[str, str], float] = defaultdict(float)
        squares = self.weight = 0.0
        for span in spans:
            weight = adjusted_count(span.trace_state)
            self.weight += weight
            squares += weight * weight
            for pair in set(_attributes(span)):
                self._seen[pair] += 1
                self.counts[pair] += weight
        self.evidence = self.weight / squares if squares else 0.0

    def naming(self) -> set[str]:
        """Return the keys whose values name a span instead of describing it."""
        distinct = Counter(key for key, _ in self._seen)
        bearing: Counter[str] = Counter()
        for (key, _), count in self._seen.items():
            bearing[key] += count
        return {
            key
            for key, number in distinct.items()
            if number > _MAX_DISTINCT
            or (
                bearing[key] > 4
                and self.observed > 4
                and number > _MAX_DISTINCT_SHARE * bearing[key]
            )
        }

    def told(self, count: float) -> tuple[float, float]:
        """Return a count and the whole group as the number of spans that tell as much."""
        return count * self.evidence, self.weight * self.evidence


def compare(bad: Sequence[Span], good: Sequence[Span], limit: int = 10) -> Comparison:
    """Return the attribute values that are over-represented among ``bad``.

    Resource attributes count as well; of several with exactly the same counts (a node and its
    address, say) all are told, as the reader knows best which one is the cause.

    Args:
        bad: The spans to explain.
        good: Spans of the same kind to hold them against.
        limit: Most differences to return.
    """
    chosen, others = _Group(bad), _Group(good)
    naming = chosen.naming() | others.naming()
    found = [_difference(pair, chosen, others) for pair in chosen.counts if pair[0] not in naming]
    telling = [d for d in found if d.score >= SIGNIFICANT and d.bad_share > d.good_share]
    telling.sort(key=lambda d: (-d.score, d.key, d.value))
    return Comparison(
        bad_spans=chosen.weight,
        good_spans=others.weight,
        bad_observed=chosen.observed,
        good_observed=others.observed,
        differences=tuple(telling[:limit]),
    )


def _attributes(span: Span) -> Iterator[tuple[str, str]]:
    yield "service", span.service
    yield "name", span.name
    for attributes in (span.attributes, span.resource):
        for key, value in attributes.items():
            if key != "service.name":
                yield key, text_of(value)[:_MAX_VALUE_CHARS]


def _difference(pair: tuple[str, str], bad: _Group, good: _Group) -> Difference:
    bad_count, good_count = bad.counts[pair], good.counts.get(pair, 0.0)
    bad_share = bad_count / bad.weight
    good_share = good_count / good.weight if good.weight else 0.0
    return Difference(
        key=pair[0],
        value=pair[1],
        bad_count=bad_count,
        bad_share=bad_share,
        good_count=good_count,
        good_share=good_share,
        lift=bad_share / good_share if good_share else math.inf,
        score=likelihood_ratio(bad.told(bad_count), good.told(good_count)),
    )


def likelihood_ratio(bad: tuple[float, float], good: tuple[float, float]) -> float:
    """Return G² of the 2×2 table of (with the value, all) in both groups.

    >>> round(likelihood_ratio((10, 10), (0, 90)), 2)
    65.02
    """
    (a, bad_all), (b, good_all) = bad, good
    table = ((a, bad_all - a), (b, good_all - b))
    columns = (a + b, bad_all + good_all - a - b)
    total = bad_all + good_all
    score = 0.0
    for row, row_total in zip(table, (bad_all, good_all), strict=True):
        for observed, column_total in zip(row, columns, strict=True):
            if observed > 0:
                score += 2 * observed * math.log(observed * total / (row_total * column_total))
    return score
