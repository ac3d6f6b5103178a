"""One trace in memory: its spans, each once, and what is known of those that had to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from collectors.model import Span, SpanStatus
from collectors.traces.calls import Call
from collectors.traces.tree.cutting import most_telling
from collectors.traces.tree.lineage import Identity, identity

# What a remembered identity takes, in bytes of the store's bound.
DROPPED_BYTES = 64
# Repeats of spans that were dropped are known as such up to this many times the bound on a trace.
_REMEMBERED = 50


@dataclass(slots=True, eq=False)
class HeldTrace:
    """The spans of one trace that are held.

    Attributes:
        services: Every service that had a span in it.
        errors: Number of failed spans, dropped ones included.
        size: Bytes that it counts for.
        start_ns: First start.
        end_ns: Last end.
        dropped: Number of spans that were dropped.
        settled: Whether the service map has counted its calls.
        miscounted: Calls that its spans seem to tell of, but only because others were dropped.
    """

    services: set[str] = field(default_factory=set)
    errors: int = 0
    size: int = 0
    start_ns: int = 2**63
    end_ns: int = 0
    dropped: int = 0
    settled: bool = False
    miscounted: Counter[Call] | None = None
    _first: dict[str, Span] = field(default_factory=dict)
    # Spans whose id another one had before: the other halves of calls.
    _others: dict[Identity, Span] = field(default_factory=dict)
    _dropped_known: set[int] | None = None

    def __len__(self) -> int:
        return len(self._first) + len(self._others)

    def __iter__(self) -> Iterator[Span]:
        yield from self._first.values()
        yield from self._others.values()

    @property
    def second(self) -> int:
        """The second of the first start, since the epoch."""
        return self.start_ns // 1_000_000_000

    @property
    def span_count(self) -> int:
        """Number of spans, dropped ones included."""
        return len(self) + self.dropped

    @property
    def dropped_errors(self) -> int:
        """Number of failed spans among those that were dropped."""
        if not self.dropped:
            return 0
        return self.errors - sum(span.status is SpanStatus.ERROR for span in self.held())

    def held(self) -> list[Span]:
        """The spans so far, as a list that nobody changes."""
        spans = list(self._first.values())
        return spans + list(self._others.values()) if self._others else spans

    def knows(self, span: Span) -> bool:
        """Return whether the span is here already, or was dropped."""
        first = self._first.get(span.span_id)
        if first is not None:
            key = identity(span)
            if identity(first) == key or key in self._others:
                return True
        return self._dropped_known is not None and hash(identity(span)) in self._dropped_known

    def add(self, span: Span) -> None:
        """Take a span that is not known yet."""
        self._place(span)
        self.services.add(span.service)
        self.errors += span.status is SpanStatus.ERROR
        self.start_ns = min(self.start_ns, span.start_ns)
        self.end_ns = max(self.end_ns, span.end_ns)

    def cut(self, limit: int) -> list[Span]:
        """Keep the ``limit`` spans that tell most; return those that are dropped."""
        spans = self.held()
        kept = set(most_telling(spans, limit))
        self._first, self._others = {}, {}
        for at in sorted(kept):
            self._place(spans[at])
        gone = [span for at, span in enumerate(spans) if at not in kept]
        self._remember(gone, _REMEMBERED * limit)
        self.dropped += len(gone)
        self.size = self.size * len(kept) // len(spans) + DROPPED_BYTES * len(gone)
        return gone

    def _place(self, span: Span) -> None:
        if self._first.setdefault(span.span_id, span) is not span:
            self._others[identity(span)] = span

    def _remember(self, gone: Iterable[Span], most: int) -> None:
        if self._dropped_known is None:
            self._dropped_known = set()
        for span in gone:
            if len(self._dropped_known) < most:
                self._dropped_known.add(hash(identity(span)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSpans:
    """A trace as it is read: the spans that are kept, and how many more there were."""

    spans: Sequence[Span] = ()
    dropped: int = 0
