"""Which names and values spans have, for those who choose among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from collectors.budget import look
from collectors.traces.query.columns import SpanBlock
from collectors.traces.query.evaluation import holds
from collectors.traces.traceql.query import Always, Compare, Condition, Field, Intrinsic, Scope

MAX_VOCABULARY_SPANS = 200_000
"""Spans looked at, the newest: what is older is looked for by whoever knows its name."""


def values_of(
    blocks: Iterable[SpanBlock], field: Field, condition: Condition | None = None
) -> Counter[str]:
    """Return the texts that a field has in spans of which a condition holds, each with a count."""
    counts: Counter[str] = Counter()
    for block in _newest(blocks):
        column = block.texts(field)
        chosen = column.codes[holds(condition or Always(), block)]
        amounts = np.bincount(chosen[chosen >= 0], minlength=len(column.texts))
        for at in np.flatnonzero(amounts).tolist():
            counts[column.texts[at]] += int(amounts[at])
    return counts


def names_of(blocks: Iterable[SpanBlock]) -> tuple[Counter[str], Counter[str]]:
    """Return the names of attributes of spans and of resources, each with a count of spans."""
    own: Counter[str] = Counter()
    shared: Counter[int] = Counter()
    resources = {}
    for block in _newest(blocks):
        for span in block.spans:
            own.update(span.attributes.keys())
            shared[id(span.resource)] += 1
            resources[id(span.resource)] = span.resource
    of_resources: Counter[str] = Counter()
    for number, count in shared.items():
        for name in resources[number]:
            of_resources[name] += count
    return own, of_resources


def operations_of(blocks: Iterable[SpanBlock], service: str) -> list[tuple[str, str]]:
    """Return the names and kinds of a service's spans, sorted; of all services if it is ""."""
    found: set[tuple[str, str]] = set()
    name, kind = (Field(Scope.INTRINSIC, one.value, 0) for one in (Intrinsic.NAME, Intrinsic.KIND))
    own: Condition = Always()
    if service:
        own = Compare(Field(Scope.RESOURCE, "service.name", 0), "=", service)
    for block in _newest(blocks):
        names, kinds = block.texts(name), block.texts(kind)
        mask = holds(own, block)
        pairs = np.unique(np.stack([names.codes[mask], kinds.codes[mask]]), axis=1)
        found.update((names.texts[a], kinds.texts[b]) for a, b in pairs.T.tolist())
    return sorted(found)


def _newest(blocks: Iterable[SpanBlock]) -> Iterable[SpanBlock]:
    seen = 0
    for block in blocks:
        look()
        yield block
        seen += len(block)
        if seen >= MAX_VOCABULARY_SPANS:
            return
