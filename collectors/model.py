"""The shapes that flow through the suite: tags, batches, frames and spans.

A *series* is a set of tags, one of which is ``name``. Its kind stands in the tag ``atlas.dstype``:
``gauge``, ``counter`` (cumulative, becomes a rate), ``sum`` (added up within a step) or ``rate``
(the default). A sample's timestamp is in epoch milliseconds; a frame's timestamps are the *end* of
their interval, as in Atlas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Tags = Mapping[str, str]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
IndexArray = NDArray[np.int32]

DSTYPE = "atlas.dstype"


class SeriesKind(StrEnum):
    """How samples of a series turn into one value a step."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUM = "sum"
    RATE = "rate"


def kind_of(tags: Tags) -> SeriesKind:
    """Return the kind that the ``atlas.dstype`` tag names; anything unknown is a rate.

    >>> kind_of({"name": "cpu", "atlas.dstype": "gauge"})
    <SeriesKind.GAUGE: 'gauge'>
    """
    try:
        return SeriesKind(tags.get(DSTYPE, "rate"))
    except ValueError:
        return SeriesKind.RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One measured value with the trace that produced it. ``series`` indexes ``Batch.series``."""

    series: int
    time_ms: int
    value: float
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why something was refused. ``reason`` is a short camel-case word such as ``tagsTooMany``."""

    reason: str
    detail: str
    tags: Tags = field(default_factory=dict)
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one of several streams adds to a series that they share, in columns of one length.

    Of a counter, ``value`` events happened after ``start_ms`` and up to ``time_ms``; they are added
    to what others counted then. Of a gauge, ``value`` takes the place of what its step has.

    Attributes:
        series_index: (P,) positions in ``Batch.series``.
        start_ms: (P,) before ``time_ms`` for counters.
        time_ms: (P,) epoch milliseconds.
        value: (P,) events, not a total; or the gauge's value.
    """

    series_index: IndexArray
    start_ms: IntArray
    time_ms: IntArray
    value: FloatArray

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples in columns, as every receiver delivers them.

    ``series`` holds the distinct tag sets of this batch; ``series_index``, ``time_ms`` and
    ``value`` have one entry a sample, ``series_index`` pointing into ``series``. ``parts`` come
    after them. ``whole_resets`` says how a counter that falls is read: as Prometheus does, what it
    shows now was counted since its reset; else, as Atlas does, nothing is known of that interval.
    """

    series: Sequence[Tags]
    series_index: IndexArray
    time_ms: IntArray
    value: FloatArray
    exemplars: Sequence[Exemplar] = ()
    parts: Parts | None = None
    whole_resets: bool = False

    def __len__(self) -> int:
        return len(self.value) + (len(self.parts) if self.parts is not None else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a store knows of a series from before a receiver's memory began.

    Attributes:
        time_ms: Time of its newest sample, 0 for none.
        value: The newest value of a gauge, NaN for none and for other kinds.
    """

    time_ms: int = 0
    value: float = float("nan")


class Recollection(Protocol):
    """Where a receiver that has just begun learns what was counted before."""

    def counted(self, tags: Tags) -> Counted:
        """Return what is known of the series with exactly these tags."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a batch: how many samples were kept, and why others were not.

    ``warnings`` are about what was kept but may not be what its sender means; ``count`` says of how
    much.
    """

    accepted: int
    rejected: Sequence[Rejection] = ()
    warnings: Sequence[Rejection] = ()

    @property
    def rejected_count(self) -> int:
        """Number of samples that were refused."""
        return sum(r.count for r in self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Lines over a regular time grid.

    ``values`` has shape (lines, steps), float64, NaN where there is no data. Column ``i`` stands at
    ``start_ms + i * step_ms``, which is the end of its interval. ``tags`` and ``labels`` have one
    entry a line.
    """

    start_ms: int
    step_ms: int
    tags: Sequence[Tags]
    labels: Sequence[str]
    values: FloatArray

    @property
    def times_ms(self) -> IntArray:
        """Timestamps of the columns, epoch milliseconds."""
        steps = np.arange(self.values.shape[1], dtype=np.int64)
        return self.start_ms + steps * self.step_ms


class SpanKind(StrEnum):
    """OpenTelemetry span kinds."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class SpanStatus(StrEnum):
    """OpenTelemetry status codes."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


ADJUSTED = "tocsin.adjusted"
"""Attribute of a span that is not kept as it was sent: says in words what was sent."""

AttributeValue = str | bool | int | float | list[object] | dict[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened within a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """A reference to a span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One OpenTelemetry span. Ids are lower-case hex; ``parent_span_id`` is empty for a root."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: SpanKind
    start_ns: int
    end_ns: int
    status: SpanStatus
    status_message: str
    service: str
    resource: Mapping[str, AttributeValue]
    attributes: Mapping[str, AttributeValue]
    scope_name: str = ""
    scope_version: str = ""
    trace_state: str = ""
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanLink] = ()

    @property
    def duration_ns(self) -> int:
        """Wall time between start and end, in nanoseconds."""
        return self.end_ns - self.start_ns


def in_order(span: Span) -> Span:
    """Return the span; one that ends before it starts with duration 0 and a mark of it.

    Clocks that are set back within a span are ordinary in browsers and virtual machines. Without
    the span its children would have no parent.
    """
    if span.end_ns >= span.start_ns:
        return span
    backwards_ns = span.start_ns - span.end_ns
    how = f"ended {backwards_ns} ns before it started" if span.end_ns else "has no end"
    mark = {ADJUSTED: f"{how}; kept with duration 0"}
    return replace(span, end_ns=span.start_ns, attributes={**span.attributes, **mark})


class MetricWriter(Protocol):
    """Where receivers deliver samples. Returns only when what it accepted is in the log."""

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``; raise :class:`OverloadedError` or :class:`StorageError` if it can't."""
        ...


class SpanWriter(Protocol):
    """Where receivers deliver spans. Returns only when what it accepted is in the log."""

    def write_spans(self, spans: Sequence[Span]) -> Receipt:
        """Keep ``spans``; writing the same span twice leaves one."""
        ...
