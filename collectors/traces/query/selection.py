"""The spans that a query selects, and others like them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from collectors.budget import look
from collectors.model import IntArray, Span
from collectors.traces.query.columns import SpanBlock
from collectors.traces.query.evaluation import selected
from collectors.traces.traceql.query import Field, Intrinsic, Query, Scope

_SERVICE = Field(Scope.RESOURCE, "service.name", 0)
_NAME = Field(Scope.INTRINSIC, Intrinsic.NAME.value, 0)


def apart(
    blocks: Iterable[SpanBlock], query: Query, start_ns: int, end_ns: int, most: int
) -> tuple[list[Span], list[Span]]:
    """Return the spans that a query selects, and those of their operations that it does not.

    Args:
        blocks: The spans, newest first.
        query: What sets them apart.
        start_ns: Spans that began earlier are left out.
        end_ns: Spans that began then or later are left out.
        most: Of both together.
    """
    chosen: list[Span] = []
    others: list[Span] = []
    kinds: set[tuple[str, str]] = set()
    seen = 0
    waiting: list[tuple[SpanBlock, IntArray]] = []
    for block in blocks:
        look()
        inside = (block.start_ns >= start_ns) & (block.start_ns < end_ns)
        mask = selected(query, block)
        rows = np.flatnonzero(mask & inside).tolist()
        chosen += (block.spans[row] for row in rows[: most - len(chosen)])
        services, names = block.texts(_SERVICE), block.texts(_NAME)
        pairs = np.unique(np.stack([services.codes[rows], names.codes[rows]]), axis=1)
        kinds.update((services.texts[s], names.texts[n]) for s, n in pairs.T.tolist())
        waiting.append((block, np.flatnonzero(~mask & inside)))
        seen += len(block)
        if seen >= most:
            break
    for block, rest in waiting:
        others += _alike(block, rest, kinds)
    return chosen, others[: max(0, most - len(chosen))]


def _alike(block: SpanBlock, rows: IntArray, kinds: set[tuple[str, str]]) -> list[Span]:
    services, names = block.texts(_SERVICE), block.texts(_NAME)
    known = np.zeros((len(services.texts), len(names.texts)), dtype=np.bool_)
    for s, service in enumerate(services.texts):
        for n, name in enumerate(names.texts):
            known[s, n] = (service, name) in kinds
    alike = rows[known[services.codes[rows], names.codes[rows]]] if len(rows) else rows
    return [block.spans[row] for row in alike.tolist()]
