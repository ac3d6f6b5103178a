"""What is different about the bad ones: attributes that set one group of spans apart.

For each attribute value the share among the bad spans is held against the share among the others;
differences are ranked by the likelihood ratio (G², Dunning 1993), so that neither a rare value in
few spans nor a tiny shift in many comes first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collectors.attribute_text import text_of
from collectors.model import Span

# G² of one degree of freedom at p = 0.001: below this a difference is taken for chance.
SIGNIFICANT = 10.83

# A key whose values are nearly all different names the span, it doesn't describe it.
_MAX_DISTINCT_SHARE = 0.5
_MAX_DISTINCT = 10_000
_MAX_VALUE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One attribute value that is more frequent among the bad spans.

    ``lift`` is the ratio of the two shares, infinite if no good span has the value.
    """

    key: str
    value: str
    bad_count: int
    bad_share: float
    good_count: int
    good_share: float
    lift: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many spans were compared, and what sets the bad ones apart, strongest first."""

    bad_spans: int
    good_spans: int
    differences: tuple[Difference, ...]


def compare(bad: Sequence[Span], good: Sequence[Span], limit: int = 10) -> Comparison:
    """Return the attribute values that are over-represented among ``bad``.

    Resource attributes count as well; of several with exactly the same counts (a node and its
    address, say) all are told, as the reader knows best which one is the cause.

    Args:
        bad: The spans to explain.
        good: Spans of the same kind to hold them against.
        limit: Most differences to return.
    """
    bad_counts, good_counts = _count(bad), _count(good)
    naming = _naming_keys(bad_counts, len(bad)) | _naming_keys(good_counts, len(good))
    found = [
        _difference(pair, (count, len(bad)), (good_counts[pair], len(good)))
        for pair, count in bad_counts.items()
        if pair[0] not in naming
    ]
    telling = [d for d in found if d.score >= SIGNIFICANT and d.bad_share > d.good_share]
    telling.sort(key=lambda d: (-d.score, d.key, d.value))
    return Comparison(bad_spans=len(bad), good_spans=len(good), differences=tuple(telling[:limit]))


def _count(spans: Iterable[Span]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for span in spans:
        counts.update(set(_attributes(span)))
    return counts


def _attributes(span: Span) -> Iterator[tuple[str, str]]:
    yield "service", span.service
    yield "name", span.name
    for attributes in (span.attributes, span.resource):
        for key, value in attributes.items():
            if key != "service.name":
                yield key, text_of(value)[:_MAX_VALUE_CHARS]


def _naming_keys(counts: Counter[tuple[str, str]], spans: int) -> set[str]:
    distinct = Counter(key for key, _ in counts)
    bearing: Counter[str] = Counter()
    for (key, _), count in counts.items():
        bearing[key] += count
    return {
        key
        for key, number in distinct.items()
        if number > _MAX_DISTINCT
        or (bearing[key] > 4 and spans > 4 and number > _MAX_DISTINCT_SHARE * bearing[key])
    }


def _difference(pair: tuple[str, str], bad: tuple[int, int], good: tuple[int, int]) -> Difference:
    bad_share = bad[0] / bad[1]
    good_share = good[0] / good[1] if good[1] else 0.0
    return Difference(
        key=pair[0],
        value=pair[1],
        bad_count=bad[0],
        bad_share=bad_share,
        good_count=good[0],
        good_share=good_share,
        lift=bad_share / good_share if good_share else math.inf,
        score=likelihood_ratio(bad, good),
    )


def likelihood_ratio(bad: tuple[int, int], good: tuple[int, int]) -> float:
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
            if observed:
                score += 2 * observed * math.log(observed * total / (row_total * column_total))
    return score
