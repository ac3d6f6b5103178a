"""Spans of some traces in columns, made as a query asks for them and kept for the next one.

Texts stand as numbers into the list of distinct ones, so that a comparison is made once for each
distinct text and spread over the spans by one look-up in an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from collectors.attribute_text import text_of
from collectors.model import FloatArray, IndexArray, IntArray, Span, SpanStatus
from collectors.traces.traceql.query import Field, Intrinsic, Scope
from collectors.traces.tree.lineage import Lineage, lineage_of
from collectors.traces.tree.sampling import adjusted_count

BoolArray = NDArray[np.bool_]

MAX_COLUMNS = 32
"""Attributes of which a block keeps a column; of more, all are made anew."""
_MISSING = object()


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One text a span.

    Attributes:
        codes: (spans,) position in ``texts``, -1 where there is none.
        texts: The distinct texts.
    """

    codes: IndexArray
    texts: Sequence[str]

    def where(self, holds: Callable[[str], bool]) -> BoolArray:
        """Return (spans,) whether ``holds`` of the text; False where there is none."""
        # One more at the end, which the code -1 points to.
        answers = np.array([*map(holds, self.texts), False], dtype=np.bool_)
        found: BoolArray = answers[self.codes]
        return found

    def numbers(self) -> FloatArray:
        """Return (spans,) the texts as numbers, NaN for those that are none."""
        values = np.array([*map(_number, self.texts), np.nan])
        found: FloatArray = values[self.codes]
        return found


class SpanBlock:
    """The spans of some traces, those of one trace in a row.

    Args:
        traces: The spans of each trace, at least one.

    Attributes:
        spans: All spans.
        trace: (spans,) number of the trace that a span belongs to.
    """

    def __init__(self, traces: Sequence[Sequence[Span]]) -> None:
        self.spans: list[Span] = [span for trace in traces for span in trace]
        lengths = [len(trace) for trace in traces]
        self._first = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self.trace_count = len(traces)
        self.trace: IntArray = np.repeat(np.arange(len(traces)), lengths)
        self._texts: dict[tuple[Scope, str], TextColumn] = {}
        self._numbers: dict[str, FloatArray] = {}
        self._parents: IntArray | None = None
        self._lineages: list[Lineage] | None = None

    def __len__(self) -> int:
        return len(self.spans)

    @cached_property
    def start_ns(self) -> IntArray:
        """(spans,) when each began."""
        return np.fromiter((span.start_ns for span in self.spans), np.int64, len(self))

    @cached_property
    def end_ns(self) -> IntArray:
        """(spans,) when each ended."""
        return np.fromiter((span.end_ns for span in self.spans), np.int64, len(self))

    @property
    def duration_ns(self) -> FloatArray:
        """(spans,) how long each took."""
        return (self.end_ns - self.start_ns).astype(np.float64)

    @cached_property
    def failed(self) -> BoolArray:
        """(spans,) whether each ended in an error."""
        errors = (span.status is SpanStatus.ERROR for span in self.spans)
        return np.fromiter(errors, np.bool_, len(self))

    @cached_property
    def weight(self) -> FloatArray:
        """(spans,) how many spans each stands for, by what its sender says of its sampling."""
        counts = (adjusted_count(span.trace_state) for span in self.spans)
        return np.fromiter(counts, np.float64, len(self))

    def rows_of(self, trace: int) -> range:
        """Return the rows of a trace's spans."""
        return range(int(self._first[trace]), int(self._first[trace + 1]))

    def texts(self, field: Field) -> TextColumn:
        """Return a field of every span as text."""
        key = field.scope, field.key
        column = self._texts.get(key)
        if column is None:
            if len(self._texts) >= MAX_COLUMNS:
                self._texts = {}
            column = self._texts[key] = text_column(self._read(field))
        return column

    def numbers(self, field: Field) -> FloatArray:
        """Return a field of every span as a number, NaN where it is none; durations in ns."""
        if not field.is_number:
            return self.texts(field).numbers()
        column = self._numbers.get(field.key)
        if column is None:
            column = self._numbers[field.key] = self._measure(Intrinsic(field.key))
        return column

    def parents(self) -> IntArray:
        """Return (spans,) the row of a span's parent, -1 for none."""
        if self._parents is None:
            parents = [np.array(lineage.parent, dtype=np.int64) for lineage in self._all_lineages()]
            offsets = np.repeat(self._first[:-1], np.diff(self._first))
            joined = np.concatenate([*parents, np.empty(0, dtype=np.int64)])
            self._parents = np.where(joined >= 0, joined + offsets, -1)
        return self._parents

    def _all_lineages(self) -> list[Lineage]:
        if self._lineages is None:
            self._lineages = [
                lineage_of(self.spans[rows.start : rows.stop])
                for rows in map(self.rows_of, range(self.trace_count))
            ]
        return self._lineages

    def _measure(self, intrinsic: Intrinsic) -> FloatArray:
        if intrinsic is Intrinsic.NESTED_SET_PARENT:
            return self.parents().astype(np.float64)
        if intrinsic is Intrinsic.TRACE_DURATION:
            first = np.minimum.reduceat(self.start_ns, self._first[:-1])
            last = np.maximum.reduceat(self.end_ns, self._first[:-1])
            return (last - first).astype(np.float64)[self.trace]
        return self.duration_ns

    def _read(self, field: Field) -> Iterable[object]:
        if field.scope is Scope.INTRINSIC:
            return self._read_intrinsic(Intrinsic(field.key))
        key = field.key
        match field.scope:
            case Scope.SPAN:
                return [span.attributes.get(key, _MISSING) for span in self.spans]
            case Scope.RESOURCE if key == "service.name":
                return [span.service for span in self.spans]
            case Scope.RESOURCE:
                return [span.resource.get(key, _MISSING) for span in self.spans]
        if key == "service.name":
            return [span.attributes.get(key, span.service) for span in self.spans]
        return [
            span.attributes.get(key, _MISSING)
            if key in span.attributes
            else span.resource.get(key, _MISSING)
            for span in self.spans
        ]

    def _read_intrinsic(self, intrinsic: Intrinsic) -> Iterable[object]:
        match intrinsic:
            case Intrinsic.NAME:
                return [span.name for span in self.spans]
            case Intrinsic.STATUS:
                return [span.status.value for span in self.spans]
            case Intrinsic.STATUS_MESSAGE:
                return [span.status_message for span in self.spans]
            case Intrinsic.KIND:
                return [span.kind.value for span in self.spans]
            case Intrinsic.TRACE_ID:
                return [span.trace_id for span in self.spans]
            case Intrinsic.SPAN_ID:
                return [span.span_id for span in self.spans]
            case _:
                return self._read_roots(intrinsic)

    def _read_roots(self, intrinsic: Intrinsic) -> list[object]:
        roots = [lineage.spans[lineage.main_root()] for lineage in self._all_lineages()]
        named = intrinsic is Intrinsic.ROOT_NAME
        texts = [root.name if named else root.service for root in roots]
        return [texts[trace] for trace in self.trace.tolist()]


def text_column(values: Iterable[object]) -> TextColumn:
    """Return values as numbers into their distinct texts."""
    numbers: dict[str, int] = {}
    codes = [
        -1
        if value is _MISSING
        else numbers.setdefault(
            value if type(value) is str else text_of(value),  # type: ignore[arg-type] # an attribute
            len(numbers),
        )
        for value in values
    ]
    return TextColumn(np.array(codes, dtype=np.int32), list(numbers))


def _number(text: str) -> float:
    # float() would also take " 5 " and "1_000", which no sender means as numbers.
    if not text or text != text.strip() or "_" in text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return float("nan")
