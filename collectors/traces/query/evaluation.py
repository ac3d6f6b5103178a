"""Which spans of which traces a query selects, over columns.

A span that lacks what is asked for matches no comparison but ``= nil``, not even ``!=`` or ``!~``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.budget import look
from collectors.model import FloatArray, IntArray, Span
from collectors.patterns import Pattern
from collectors.traces.query.columns import BoolArray, SpanBlock
from collectors.traces.traceql.parser import whole
from collectors.traces.traceql.query import (
    Aggregate,
    Always,
    And,
    Both,
    Compare,
    Condition,
    Either,
    Field,
    Filter,
    Not,
    Or,
    Query,
    Related,
    Scope,
    Selection,
)

_COMPARED: dict[str, Callable[..., BoolArray]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedSpans:
    """What a query selected of a trace: some of the spans, and how many there are."""

    spans: Sequence[Span]
    count: int


def matched(
    query: Query, block: SpanBlock, most: int, within: BoolArray | None = None
) -> dict[int, MatchedSpans]:
    """Return the traces of which the query selects spans, by their number in the block.

    Args:
        query: What is asked.
        block: The traces.
        most: Spans to return of each trace, the first in order of the block.
        within: (spans,) which of the selected ones count; all if None.
    """
    mask = selected(query, block)
    if within is not None:
        mask = mask & within
    counts = np.bincount(block.trace[mask], minlength=block.trace_count)
    found = {}
    for trace in np.flatnonzero(counts).tolist():
        rows = block.rows_of(trace)
        chosen = np.flatnonzero(mask[rows.start : rows.stop])[:most] + rows.start
        spans = [block.spans[row] for row in chosen.tolist()]
        found[trace] = MatchedSpans(spans=spans, count=int(counts[trace]))
    return found


def selected(query: Query, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether the query selects the span."""
    mask = _select(query.selection, block)
    for stage in query.stages:
        look()
        if isinstance(stage, Filter):
            mask = mask & holds(stage.condition, block)
        else:
            mask = mask & _reached(stage, block, mask)[block.trace]
    return mask


def holds(condition: Condition, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether a condition holds of the span."""
    match condition:
        case Always():
            return np.full(len(block), condition.holds)
        case And(left, right):
            return holds(left, block) & holds(right, block)
        case Or(left, right):
            return holds(left, block) | holds(right, block)
        case Not(inner):
            return ~holds(inner, block)
        case Compare():
            look()
            return _compare(condition, block)


def compared_text(op: str, value: str) -> Callable[[str], bool]:
    """Return what a comparison with a text, or with a pattern, says of a text."""
    if op in ("=~", "!~"):
        pattern = Pattern(whole(value), dot_matches_newline=True)
        return pattern.matches if op == "=~" else lambda text: not pattern.matches(text)
    compare = _COMPARED[op]
    return lambda text: bool(compare(text, value))


def _compare(condition: Compare, block: SpanBlock) -> BoolArray:
    field, op, value = condition.field, condition.op, condition.value
    if value is None:
        there = np.full(len(block), True) if field.is_number else block.texts(field).codes >= 0
        return there if op == "!=" else ~there
    if isinstance(value, bool):
        return block.texts(field).where(compared_text(op, str(value).lower()))
    if isinstance(value, str):
        return block.texts(field).where(compared_text(op, value))
    numbers = block.numbers(field)
    # What is no number is neither equal nor different.
    result: BoolArray = _COMPARED[op](numbers, value) & ~np.isnan(numbers)
    return result


def _select(selection: Selection, block: SpanBlock) -> BoolArray:
    match selection:
        case Filter(condition):
            return holds(condition, block)
        case Both(left, right):
            one, other = _select(left, block), _select(right, block)
            there = _has(one, block) & _has(other, block)
            return (one | other) & there[block.trace]
        case Either(left, right):
            return _select(left, block) | _select(right, block)
        case Related(op, left, right):
            look()
            return _related(op, _select(left, block), block) & _select(right, block)


def _has(mask: BoolArray, block: SpanBlock) -> BoolArray:
    """Return (traces,) whether any span of the trace is selected."""
    found: BoolArray = np.bincount(block.trace[mask], minlength=block.trace_count) > 0
    return found


def _related(op: str, mask: BoolArray, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether a span stands so to one of ``mask``."""
    parents = block.parents()
    child = parents >= 0
    match op:
        case ">":
            return child & mask[parents]
        case ">>":
            return _below(mask, parents)
        case "<":
            return _marked(parents[child & mask], len(mask))
        case "<<":
            return _above(mask, parents)
    # A sibling is another child of the same parent.
    marked = np.bincount(parents[child & mask], minlength=len(mask))
    others = marked[parents] - mask
    return child & (others > 0)


def _marked(rows: IntArray, size: int) -> BoolArray:
    found = np.zeros(size, dtype=np.bool_)
    found[rows] = True
    return found


def _below(mask: BoolArray, parents: IntArray) -> BoolArray:
    """Return whether any ancestor is of ``mask``; each round looks twice as far up."""
    up = parents.copy()
    found: BoolArray = (up >= 0) & mask[up]
    while (up >= 0).any():
        found = found | ((up >= 0) & found[up])
        up = np.where(up >= 0, up[up], -1)
    return found


def _above(mask: BoolArray, parents: IntArray) -> BoolArray:
    """Return whether any descendant is of ``mask``; each round goes one level up."""
    found = np.zeros(len(mask), dtype=np.bool_)
    rows = parents[mask]
    while (rows := np.unique(rows[rows >= 0])).size:
        rows = rows[~found[rows]]
        found[rows] = True
        rows = parents[rows]
    return found


def _reached(stage: Aggregate, block: SpanBlock, mask: BoolArray) -> BoolArray:
    """Return (traces,) whether the selected spans of the trace are so many, or so slow."""
    rows = np.flatnonzero(mask)
    if stage.field is None:
        counts = np.bincount(block.trace[rows], minlength=block.trace_count)
        return (counts > 0) & _COMPARED[stage.op](counts, stage.value)
    values = block.numbers(stage.field)[rows]
    known = ~np.isnan(values)
    result = _aggregated(stage.name, values[known], block.trace[rows[known]], block.trace_count)
    reached: BoolArray = _COMPARED[stage.op](result, stage.value) & ~np.isnan(result)
    return reached


def _aggregated(name: str, values: FloatArray, trace: IntArray, traces: int) -> FloatArray:
    """Return (traces,) what the values of each trace come to, NaN where there are none."""
    counts = np.bincount(trace, minlength=traces)
    result = np.full(traces, np.nan)
    if name in ("min", "max"):
        result = np.full(traces, np.inf if name == "min" else -np.inf)
        (np.minimum if name == "min" else np.maximum).at(result, trace, values)
        result[counts == 0] = np.nan
        return result
    sums = np.bincount(trace, weights=values, minlength=traces)
    there = counts > 0
    result[there] = sums[there] / counts[there] if name == "avg" else sums[there]
    return result


def shown(fields: Sequence[Field], span: Span) -> dict[str, str]:
    """Return what ``select()`` shows of a span: the fields that it has, as text."""
    block = SpanBlock([[span]])
    told = {}
    for field in fields:
        if field.scope is not Scope.INTRINSIC:
            column = block.texts(field)
            if column.codes[0] >= 0:
                told[field.key] = column.texts[0]
    return told
