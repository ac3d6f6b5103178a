"""Which spans of a block a search means, and those that it is held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from collectors.budget import look
from collectors.model import IntArray, Span
from collectors.traces.query.columns import BoolArray, SpanBlock
from collectors.traces.query.evaluation import compared_text, selected
from collectors.traces.search import NANOS_PER_MS, Box, TraceSearch, bounds_ns, has_tag
from collectors.traces.traceql.query import Field, Intrinsic, Scope

_SERVICE = Field(Scope.RESOURCE, "service.name", 0)
_NAME = Field(Scope.INTRINSIC, Intrinsic.NAME.value, 0)
_NEVER = 2**63 - 1


@dataclass(slots=True)
class Rows:
    """Spans of several blocks, by their position there."""

    parts: list[tuple[SpanBlock, IntArray]] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.parts)

    def add(self, block: SpanBlock, mask: BoolArray) -> None:
        """Add the spans of a block that a mask holds of."""
        rows = np.flatnonzero(mask)
        if len(rows):
            self.parts.append((block, rows))

    def spread(self, most: int) -> list[Span]:
        """Return at most so many of the spans, evenly spread over all of them."""
        every = max(1, -(-len(self) // most))
        return [block.spans[row] for block, rows in self.parts for row in rows[::every].tolist()]


def spans_meant(wanted: TraceSearch, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether a search means the span; durations are the span's own.

    ``start_ms`` and ``end_ms`` bound the start of the span here, not of its trace.
    """
    mask = within(wanted, block)
    if wanted.service:
        mask &= block.texts(_SERVICE).where(compared_text("=", wanted.service))
    if wanted.operation:
        mask &= block.texts(_NAME).where(compared_text("=", wanted.operation))
    if wanted.error is not None:
        mask &= block.failed if wanted.error else ~block.failed
    if wanted.min_duration_ms is not None:
        mask &= block.duration_ns >= wanted.min_duration_ms * NANOS_PER_MS
    if wanted.max_duration_ms is not None:
        mask &= block.duration_ns <= wanted.max_duration_ms * NANOS_PER_MS
    for key, value in wanted.tags.items():
        mask &= _tagged(block, key, value)
    if wanted.query is not None:
        mask &= selected(wanted.query, block)
    return mask if wanted.box is None else mask & boxed(wanted.box, block)


def within(wanted: TraceSearch, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether a span began between the times of a search."""
    start_ns, end_ns = bounds_ns(wanted)
    inside: BoolArray = (block.start_ns >= start_ns) & (block.start_ns < min(end_ns, _NEVER))
    return inside


def in_box(wanted: TraceSearch, block: SpanBlock) -> BoolArray | None:
    """Return (spans,) whether a span lies within a search's box; None where it has none."""
    return None if wanted.box is None else boxed(wanted.box, block)


def boxed(box: Box, block: SpanBlock) -> BoolArray:
    """Return (spans,) what :meth:`Box.holds` says of each."""
    began_ms, took_ms = block.start_ns / NANOS_PER_MS, block.duration_ns / NANOS_PER_MS
    inside: BoolArray = (began_ms >= box.start_ms) & (began_ms < box.end_ms)
    return inside & (took_ms >= box.min_ms) & (took_ms < box.max_ms)


def apart(
    blocks: Iterable[SpanBlock], chosen: TraceSearch, alike: TraceSearch
) -> tuple[Rows, Rows]:
    """Return the spans that one search means, and those that only the other one means.

    Args:
        blocks: The spans.
        chosen: What sets them apart.
        alike: What both have in common.
    """
    bad, good = Rows(), Rows()
    for block in blocks:
        look()
        mask = spans_meant(chosen, block)
        bad.add(block, mask)
        good.add(block, spans_meant(alike, block) & ~mask)
    return bad, good


def apart_by_operation(
    blocks: Iterable[SpanBlock], chosen: TraceSearch, alike: TraceSearch
) -> tuple[Rows, Rows]:
    """Return the same as :func:`apart`; of the others the operations of those that are meant."""
    bad, others = apart(blocks, chosen, alike)
    kinds = set(_kinds(bad))
    good = Rows()
    for block, rows in others.parts:
        good.add(block, _alike(block, rows, kinds))
    return bad, good


def _kinds(found: Rows) -> Iterator[tuple[str, str]]:
    for block, rows in found.parts:
        services, names = block.texts(_SERVICE), block.texts(_NAME)
        pairs = np.unique(np.stack([services.codes[rows], names.codes[rows]]), axis=1)
        yield from ((services.texts[s], names.texts[n]) for s, n in pairs.T.tolist())


def _alike(block: SpanBlock, rows: IntArray, kinds: set[tuple[str, str]]) -> BoolArray:
    services, names = block.texts(_SERVICE), block.texts(_NAME)
    known = np.zeros((len(services.texts), len(names.texts)), dtype=np.bool_)
    for s, service in enumerate(services.texts):
        for n, name in enumerate(names.texts):
            known[s, n] = (service, name) in kinds
    mask = np.zeros(len(block), dtype=np.bool_)
    mask[rows] = known[services.codes[rows], names.codes[rows]]
    return mask


def _tagged(block: SpanBlock, key: str, value: str) -> BoolArray:
    column = block.texts(Field(Scope.ANY, key, 0))
    mask = column.where(compared_text("=", value))
    for row in np.flatnonzero(column.codes < 0).tolist():
        # What neither the span nor its resource has, an event of it may have.
        mask[row] = bool(block.spans[row].events) and has_tag(block.spans[row], key, value)
    return mask
