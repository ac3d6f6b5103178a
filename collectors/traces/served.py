"""What services did, span by span, in columns: requests served and messages consumed.

Of each span that answers somebody only what its service's traffic, errors and durations need is
kept, for some minutes, so that rates of a step are made of columns and not of spans.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.attribute_text import text_of
from collectors.model import FloatArray, IntArray, Span, SpanKind, SpanStatus
from collectors.traces.tree.lineage import CALLEES
from collectors.traces.tree.sampling import adjusted_count

MAX_OPERATIONS = 5_000
MAX_SERVED = 500_000
MAX_TAG_CHARS = 200
OTHERS = "(other operations)"
_MINUTE_NS = 60_000_000_000
_REGION = "cloud.region"


def as_tag(text: str) -> str:
    """Return a name as the value of a tag: neither empty nor longer than one may be.

    >>> as_tag(""), as_tag("GET /cart")
    ('(unnamed)', 'GET /cart')
    """
    return text[:MAX_TAG_CHARS] or "(unnamed)"


class Operation(NamedTuple):
    """What was done: by which service, under which name and as what, in which region if told."""

    service: str
    name: str
    kind: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What ended in a range of time, (spans,) each.

    Attributes:
        operations: Operation by the number that stands for it.
        operation: That number.
        end_ns: When it ended.
        duration_ns: How long it took.
        failed: Whether it failed.
        weight: How many it stands for.
    """

    operations: Mapping[int, Operation]
    operation: IntArray
    end_ns: IntArray
    duration_ns: IntArray
    failed: NDArray[np.bool_]
    weight: FloatArray


@dataclass(slots=True)
class _Minute:
    """Spans that ended within one minute."""

    operation: array[int] = field(default_factory=lambda: array("i"))
    end_ns: array[int] = field(default_factory=lambda: array("q"))
    duration_ns: array[int] = field(default_factory=lambda: array("q"))
    failed: array[int] = field(default_factory=lambda: array("b"))
    weight: array[float] = field(default_factory=lambda: array("d"))

    def copied(self) -> list[NDArray[np.int64] | FloatArray]:
        """Return the columns as arrays of their own, in the order of :class:`Served`."""
        columns = (self.operation, self.end_ns, self.duration_ns, self.failed, self.weight)
        return [np.array(column) for column in columns]


class ServedLog:
    """The newest minutes; whoever calls it sees to it that one does so at a time.

    Args:
        max_spans: Most spans remembered; the oldest minutes go first.
        max_operations: Most operations told apart; of more, a service's are counted together.

    Attributes:
        left_out: Spans that are not counted, as there were too many services.
    """

    def __init__(self, max_spans: int = MAX_SERVED, max_operations: int = MAX_OPERATIONS) -> None:
        self._max_spans = max_spans
        self._max_operations = max_operations
        self._minutes: dict[int, _Minute] = {}
        self._numbers: dict[Operation, int] = {}
        self._next = 0
        self._count = 0
        self.left_out = 0

    def add(self, span: Span) -> None:
        """Remember a span that answers somebody, or that began all by itself; no other."""
        alone = span.kind is SpanKind.INTERNAL and not span.parent_span_id
        if span.kind not in CALLEES and not alone:
            return
        number = self._number(span)
        if number < 0:
            self.left_out += 1
            return
        minute = self._minutes.setdefault(span.end_ns // _MINUTE_NS, _Minute())
        minute.operation.append(number)
        minute.end_ns.append(span.end_ns)
        minute.duration_ns.append(span.duration_ns)
        minute.failed.append(span.status is SpanStatus.ERROR)
        minute.weight.append(adjusted_count(span.trace_state))
        self._count += 1
        if self._count > self._max_spans and len(self._minutes) > 1:
            self._drop(min(self._minutes))

    def forget_before(self, time_ns: int) -> None:
        """Drop the minutes that were over before ``time_ns``."""
        first = time_ns // _MINUTE_NS
        for number in [number for number in self._minutes if number < first]:
            self._drop(number)

    def between(self, start_ns: int, end_ns: int) -> Served:
        """Return what ended after ``start_ns`` and not after ``end_ns``."""
        wanted = range(start_ns // _MINUTE_NS, end_ns // _MINUTE_NS + 1)
        parts = [self._minutes[number].copied() for number in wanted if number in self._minutes]
        parts = parts or [_Minute().copied()]
        operation, end, duration, failed, weight = map(np.concatenate, zip(*parts, strict=True))
        inside = (end > start_ns) & (end <= end_ns)
        return Served(
            operations={number: key for key, number in self._numbers.items()},
            operation=operation[inside].astype(np.int64),
            end_ns=end[inside].astype(np.int64),
            duration_ns=duration[inside].astype(np.int64),
            failed=failed[inside] > 0,
            weight=weight[inside].astype(np.float64),
        )

    def _number(self, span: Span) -> int:
        """Return the number of what a span did, -1 when there is room for no more."""
        region = text_of(span.resource.get(_REGION))[:MAX_TAG_CHARS]
        key = Operation(as_tag(span.service), as_tag(span.name), span.kind.value, region)
        number = self._numbers.get(key)
        if number is not None:
            return number
        if len(self._numbers) >= self._max_operations:
            self._forget_unused()
        if len(self._numbers) >= self._max_operations:
            key = key._replace(name=OTHERS)
            # As much room again for services whose operations are not told apart.
            if key not in self._numbers and len(self._numbers) >= 2 * self._max_operations:
                return -1
        return self._numbers.setdefault(key, self._take())

    def _take(self) -> int:
        self._next += 1
        return self._next

    def _forget_unused(self) -> None:
        used = {number for minute in self._minutes.values() for number in set(minute.operation)}
        self._numbers = {key: number for key, number in self._numbers.items() if number in used}

    def _drop(self, number: int) -> None:
        self._count -= len(self._minutes.pop(number).operation)
