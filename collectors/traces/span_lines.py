"""Lines made of the spans in memory, for the words of the stack language about them.

A step before what memory holds in full has no value: what went is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from collectors.budget import look
from collectors.errors import QueryError
from collectors.model import FloatArray, IntArray, Tags
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.stacklang.lines.span_data import (
    COUNT,
    ERRORS,
    PERCENTILE,
    RATE,
    SEEN,
    SPANS_KEY,
    TIME,
    wanted_of_spans,
)
from collectors.stacklang.predicates.algebra import conjoin
from collectors.stacklang.predicates.analysis import all_keys
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    Not,
    Or,
    Query,
    ValuePredicate,
)
from collectors.traces.query.columns import BoolArray, SpanBlock
from collectors.traces.query.percentile import percentiles_by_cell
from collectors.traces.traceql.query import Field, Intrinsic, Scope

MAX_SPAN_LINES = 5_000
MAX_SPAN_CELLS = 5_000_000
LOOK_BACK_MS = 600_000
"""Spans of traces that began longer before the first step are not looked for."""

_NANOS_PER_S = 1e9
_NAMES = {
    "name": Field(Scope.INTRINSIC, Intrinsic.NAME.value, 0),
    "operation": Field(Scope.INTRINSIC, Intrinsic.NAME.value, 0),
    "kind": Field(Scope.INTRINSIC, Intrinsic.KIND.value, 0),
    "status": Field(Scope.INTRINSIC, Intrinsic.STATUS.value, 0),
    "service": Field(Scope.RESOURCE, "service.name", 0),
}
_IDENTIFYING = frozenset({SPANS_KEY, "service", "name", "operation", "kind"})


class SpanBlocks(Protocol):
    """Something that has spans in columns, such as the span store."""

    def blocks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[SpanBlock]:
        """Yield what memory holds of the minutes between two times, newest first."""
        ...

    def whole_from_ms(self) -> int | None:
        """Return since when memory holds every span; None: since never."""
        ...


@dataclass(slots=True)
class _Gathered:
    """The spans that a request is about, (spans,) each, in parts."""

    groups: dict[tuple[str, ...], int] = field(default_factory=dict)
    group: list[IntArray] = field(default_factory=list)
    step: list[IntArray] = field(default_factory=list)
    weight: list[FloatArray] = field(default_factory=list)
    duration_ns: list[FloatArray] = field(default_factory=list)
    matched: list[BoolArray] = field(default_factory=list)
    failed: list[BoolArray] = field(default_factory=list)


class SpanLines:
    """A :class:`~collectors.stacklang.lines.database.Database` of spans.

    Args:
        spans: Where they are.
        step_ms: The base step.
    """

    def __init__(self, spans: SpanBlocks, step_ms: int) -> None:
        self._spans = spans
        self._step_ms = step_ms

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    def fetch(self, request: Fetch) -> Lines:
        """Answer a request about spans, whatever its aggregate: spans are added up.

        Raises:
            QueryError: There would be more than ``MAX_SPAN_LINES`` lines or ``MAX_SPAN_CELLS``
                values, or nothing known is asked of the spans.
        """
        wanted = wanted_of_spans(request.query) or ""
        percent = _percent_of(wanted)
        # Where the same service's spans came and none matches, their number is known: it is 0.
        asked = around(request.query) if wanted in (COUNT, RATE) else request.query
        found = self._gather(request, asked)
        names = sorted(found.groups)
        steps = request.window.steps
        if len(names) * steps > MAX_SPAN_CELLS:
            raise QueryError(
                f"{len(names):,} groups of spans in {steps:,} steps are more than "
                f"{MAX_SPAN_CELLS:,} values; ask for a shorter range or a larger step"
            )
        values = np.full((len(names), steps), np.nan)
        if names:
            place = np.empty(len(names), dtype=np.int64)
            place[[found.groups[name] for name in names]] = np.arange(len(names))
            cell = place[np.concatenate(found.group)] * steps + np.concatenate(found.step)
            flat = _measured(wanted, percent, found, cell, values.size, request.window.step_ms)
            values = flat.reshape(values.shape)
            values[:, : self._unknown_steps(request)] = np.nan
        tags: list[Tags] = [dict(zip(request.group_by, name, strict=True)) for name in names]
        return Lines(tags=tags, values=values)

    def _unknown_steps(self, request: Fetch) -> int:
        """Return how many of the first steps lie before what memory holds in full."""
        window, first_ms = request.window, self._spans.whole_from_ms()
        if first_ms is None:
            return window.steps
        behind_ms = first_ms - (window.start_ms - window.step_ms)
        return max(0, min(window.steps, -(-behind_ms // window.step_ms)))

    def _gather(self, request: Fetch, asked: Query) -> _Gathered:
        window = request.window
        start_ms = window.start_ms - window.step_ms
        found = _Gathered()
        for block in self._spans.blocks(max(0, start_ms - LOOK_BACK_MS), window.end_ms):
            look()
            end_ns = block.end_ns
            inside = (end_ns > start_ms * 1_000_000) & (end_ns <= window.end_ms * 1_000_000)
            if inside.any():
                rows = inside & matching(asked, block)
                _add(found, request, block, rows, start_ms)
        return found


def matching(query: Query, block: SpanBlock) -> BoolArray:
    """Return (spans,) whether a predicate holds of a span's names and attributes."""
    match query:
        case And(left, right):
            return matching(left, block) & matching(right, block)
        case Or(left, right):
            return matching(left, block) | matching(right, block)
        case Not(inner):
            return ~matching(inner, block)
        case Equal(key, _) if key == SPANS_KEY:
            return np.full(len(block), True)
        case ValuePredicate():
            return block.texts(span_field(query.key)).where(query.matches_value)
        case HasKey(key):
            return block.texts(span_field(key)).codes >= 0
    return np.full(len(block), isinstance(query, AnyOf))


def around(query: Query) -> Query:
    """Return what is left of a query of its conditions on service, name and kind alone."""
    if all_keys(query) <= _IDENTIFYING:
        return query
    if isinstance(query, And):
        return conjoin(around(query.left), around(query.right))
    return AnyOf()


def span_field(key: str) -> Field:
    """Return what a tag key means of a span."""
    return _NAMES.get(key) or Field(Scope.ANY, key, 0)


def _add(
    found: _Gathered, request: Fetch, block: SpanBlock, rows: BoolArray, start_ms: int
) -> None:
    columns = [block.texts(span_field(key)) for key in request.group_by]
    for column in columns:
        rows = rows & (column.codes >= 0)
    chosen = np.flatnonzero(rows)
    if not len(chosen):
        return
    codes = np.stack([np.zeros(len(chosen), np.int64), *(c.codes[chosen] for c in columns)])
    unique, place = np.unique(codes, axis=1, return_inverse=True)
    numbers = np.empty(unique.shape[1], dtype=np.int64)
    for at, combination in enumerate(unique[1:].T.tolist()):
        name = tuple(c.texts[code] for c, code in zip(columns, combination, strict=True))
        numbers[at] = found.groups.setdefault(name, len(found.groups))
    if len(found.groups) > MAX_SPAN_LINES:
        raise QueryError(
            f"more than {MAX_SPAN_LINES:,} groups of spans by {', '.join(request.group_by)}; "
            "group by something that has fewer values"
        )
    step_ns = request.window.step_ms * 1_000_000
    # A step includes its end.
    found.step.append((block.end_ns[chosen] - start_ms * 1_000_000 - 1) // step_ns)
    found.group.append(numbers[place.reshape(-1)])
    found.weight.append(block.weight[chosen])
    found.duration_ns.append(block.duration_ns[chosen])
    found.failed.append(block.failed[chosen])
    found.matched.append(matching(request.query, block)[chosen])


def _percent_of(wanted: str) -> float | None:
    """Return the percentile that is asked for, None where something else is.

    Raises:
        QueryError: Nothing known is asked for.
    """
    if wanted in (COUNT, RATE, SEEN, ERRORS, TIME):
        return None
    try:
        return float(wanted.removeprefix(PERCENTILE))
    except ValueError:
        raise QueryError(
            f"'{wanted[:80]}' is nothing to ask of spans; use :spans, :span-count, :span-duration, "
            ":span-error-ratio or :span-percentile"
        ) from None


def _measured(
    wanted: str,
    percent: float | None,
    found: _Gathered,
    cell: IntArray,
    size: int,
    step_ms: int,
) -> FloatArray:
    """Return (size,) what is asked for in each cell, NaN where there are no spans."""
    weight = np.concatenate(found.weight)
    duration_s = np.concatenate(found.duration_ns) / _NANOS_PER_S
    if percent is not None:
        return percentiles_by_cell(cell, duration_s, weight, percent / 100.0, size)
    counted = weight * np.concatenate(found.matched)
    amounts = {
        COUNT: counted,
        RATE: counted,
        SEEN: weight,
        ERRORS: weight * np.concatenate(found.failed),
        TIME: weight * duration_s,
    }[wanted]
    sums: FloatArray = np.bincount(cell, weights=amounts, minlength=size).astype(np.float64)
    sums[np.bincount(cell, minlength=size) == 0] = np.nan
    return sums if wanted == COUNT else sums / (step_ms / 1_000)
