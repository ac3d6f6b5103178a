"""What to look for among traces, and the summary that a search gives of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.attribute_text import text_of
from collectors.model import Span, SpanStatus
from collectors.traces.traceql.query import Query
from collectors.traces.tree.lineage import lineage_of

MAX_LIMIT = 1_000
NANOS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of a heat map: spans that began and took so long, each end but not the last.

    Attributes:
        start_ms: First start, epoch milliseconds.
        end_ms: First start beyond it.
        min_ms: Shortest duration, milliseconds.
        max_ms: First duration beyond it.
    """

    start_ms: float
    end_ms: float
    min_ms: float
    max_ms: float

    def holds(self, span: Span) -> bool:
        """Return whether a span lies within."""
        began_ms, took_ms = span.start_ns / NANOS_PER_MS, span.duration_ns / NANOS_PER_MS
        return self.start_ms <= began_ms < self.end_ms and self.min_ms <= took_ms < self.max_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSearch:
    """Conditions on traces; empty or None means any.

    One and the same span must satisfy ``service``, ``operation``, ``error``, ``tags`` and ``box``.
    Durations are those of that span when ``service`` or ``operation`` is given, else of the whole
    trace. ``start_ms`` and ``end_ms`` bound the start of the trace, both inclusive. A tag is looked
    up in the span's attributes, then in its resource, then in its events; values compare as text.
    ``query`` must select spans of the trace too; of those ``matched_spans`` are told.
    """

    service: str = ""
    operation: str = ""
    error: bool | None = None
    min_duration_ms: float | None = None
    max_duration_ms: float | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int = 20
    query: Query | None = None
    matched_spans: int = 3
    box: Box | None = None

    @property
    def about_span(self) -> bool:
        """Whether durations are meant of the matching span."""
        return bool(self.service or self.operation)

    def matches_span(self, span: Span) -> bool:
        """Return whether one span satisfies everything said about a span."""
        if self.service and span.service != self.service:
            return False
        if self.operation and span.name != self.operation:
            return False
        if self.error is not None and (span.status is SpanStatus.ERROR) is not self.error:
            return False
        if self.about_span and not self.matches_duration(span.duration_ns):
            return False
        if self.box is not None and not self.box.holds(span):
            return False
        return all(has_tag(span, key, value) for key, value in self.tags.items())

    def matches_duration(self, duration_ns: int) -> bool:
        """Return whether a duration lies within the bounds."""
        duration_ms = duration_ns / NANOS_PER_MS
        if self.min_duration_ms is not None and duration_ms < self.min_duration_ms:
            return False
        return self.max_duration_ms is None or duration_ms <= self.max_duration_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSummary:
    """One line of a search result. ``services`` is ordered by first appearance in time.

    ``dropped_spans`` of the ``span_count`` are no longer held: the trace was larger than the bound
    on one trace. Of those only the number is known, and how many of them were errors. ``matched``
    are some of the ``matched_count`` spans that a query has selected. ``root_failed`` says that who
    asked got an error, which is not so where somebody below tried again.
    """

    trace_id: str
    root_service: str
    root_name: str
    start_ms: int
    duration_ms: float
    span_count: int
    error_count: int
    services: tuple[str, ...]
    dropped_spans: int = 0
    matched: Sequence[Span] = ()
    matched_count: int = 0
    root_failed: bool = False


def bounds_ns(wanted: TraceSearch) -> tuple[int, int]:
    """Return the first start that a search means, and the first beyond it."""
    start_ns = -1 if wanted.start_ms is None else wanted.start_ms * NANOS_PER_MS
    end_ns = 2**63 if wanted.end_ms is None else (wanted.end_ms + 1) * NANOS_PER_MS
    return start_ns, end_ns


def summarize(spans: Sequence[Span], dropped: int = 0, dropped_errors: int = 0) -> TraceSummary:
    """Return the summary of a trace's spans, of which there is at least one.

    Args:
        spans: Those that are held.
        dropped: How many more there were.
        dropped_errors: How many of those ended in an error.
    """
    root = spans[lineage_of(spans).main_root()]
    ordered = sorted(spans, key=lambda span: span.start_ns)
    start_ns = ordered[0].start_ns
    end_ns = max(span.end_ns for span in ordered)
    errors = sum(span.status is SpanStatus.ERROR for span in ordered)
    return TraceSummary(
        trace_id=root.trace_id,
        root_service=root.service,
        root_name=root.name,
        start_ms=start_ns // NANOS_PER_MS,
        duration_ms=(end_ns - start_ns) / NANOS_PER_MS,
        span_count=len(ordered) + dropped,
        error_count=errors + dropped_errors,
        services=tuple(dict.fromkeys(span.service for span in ordered)),
        dropped_spans=dropped,
        root_failed=root.status is SpanStatus.ERROR,
    )


def has_tag(span: Span, key: str, value: str) -> bool:
    """Return whether a span's attributes, else its resource, else an event's have a value."""
    if key in span.attributes:
        return text_of(span.attributes[key]) == value
    if key in span.resource:
        return text_of(span.resource[key]) == value
    return any(text_of(event.attributes.get(key)) == value for event in span.events)
