"""The newest spans in memory, journaled, searchable.

Traces stand in buckets by the second of their start, so that the newest are found first and the
oldest dropped first, without sorting.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import structlog

from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.journal import Journal
from collectors.limits import Limits
from collectors.model import Receipt, Rejection, Span, in_order
from collectors.traces.archive import SpanArchive, joined_search, joined_trace
from collectors.traces.clock_skew import adjust_clock_skew
from collectors.traces.compare import Comparison, compare
from collectors.traces.held_trace import HeldTrace, TraceSpans
from collectors.traces.lineage import Identity, identity
from collectors.traces.search import (
    MAX_LIMIT,
    NANOS_PER_MS,
    TraceSearch,
    TraceSummary,
    summarize,
)
from collectors.traces.service_map import ServiceEdge, ServiceMap, edges_of
from collectors.traces.span_record import decode_spans, encode_spans

SPANS = 0x53
MAX_COMPARED = 50_000
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _SortedOut:
    """What becomes of the spans of a batch; ``repeated`` were held before."""

    good: list[Span] = field(default_factory=list)
    late: list[Span] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    repeated: int = 0


class SpanStore:
    """A :class:`~collectors.model.SpanWriter` with search; safe for many threads.

    Args:
        journal: Where spans are logged before they are acknowledged; replayed on opening.
        limits: How much is kept.
        clock: Judges spans from the future and from too long ago; without one the newest span
            stands for the present.
        archive: Takes acknowledged spans and answers for what memory no longer holds; None: memory
            is all there is.
        replay_in_background: Whether to return at once and replay on a thread meanwhile: half a
            million spans take some ten seconds. New spans are taken during that time.
    """

    def __init__(
        self,
        journal: Journal,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        archive: SpanArchive | None = None,
        replay_in_background: bool = False,
    ) -> None:
        self._journal = journal
        self._limits = limits or Limits()
        self._clock = clock
        self._archive = archive
        self._lock = threading.Lock()
        self._traces: dict[str, HeldTrace] = {}
        self._seconds: dict[int, dict[str, HeldTrace]] = {}
        self._services: Counter[str] = Counter()
        self._map = ServiceMap(self._limits.pair_wait_ms, self._limits.max_calls)
        self._count = 0
        self._size = 0
        self._newest_ns = 0
        self._newest_end_ns = 0
        self._evicted_second = 0
        self._whole_from_second = 0
        self._replayed = threading.Event()
        if replay_in_background:
            threading.Thread(target=self._replay, name="span-replay", daemon=True).start()
        else:
            self._replay()

    @property
    def span_count(self) -> int:
        """Number of spans held."""
        return self._count

    def wait_replayed(self, timeout_s: float) -> bool:
        """Wait until the journal is replayed; return whether it is."""
        return self._replayed.wait(timeout_s)

    # -- writing -------------------------------------------------------------------------------

    def write_spans(self, spans: Sequence[Span]) -> Receipt:
        """Keep ``spans``: logged first, then visible; a span already held counts as accepted.

        Raises:
            StorageError: The journal failed; nothing was kept.
        """
        with self._lock:
            sorted_out = self._sort_out(spans)
            good, late = sorted_out.good, sorted_out.late
            if kept := [*good, *late]:
                record = encode_spans(kept)
                self._journal.append(SPANS, record)
                self._insert(good, len(record) * len(good) // len(kept))
            self._evict()
        if kept and self._archive:
            self._archive.offer(kept)
        accepted = len(kept) + sorted_out.repeated
        return Receipt(accepted=accepted, rejected=sorted_out.rejected)

    def _sort_out(self, spans: Sequence[Span]) -> _SortedOut:
        found = _SortedOut()
        fresh: set[tuple[str, Identity]] = set()
        for span in map(in_order, spans):
            trace = self._traces.get(span.trace_id)
            key = (span.trace_id, identity(span))
            if key in fresh or (trace is not None and trace.knows(span)):
                found.repeated += 1
                continue
            refusal = self._refuse(span)
            if refusal is not None:
                found.rejected.append(refusal)
                continue
            fresh.add(key)
            (found.late if self._is_late(span) else found.good).append(span)
        return found

    def _refuse(self, span: Span) -> Rejection | None:
        if self._clock is None:
            return None
        tags = {"service.name": span.service}
        now_ms, start_ms = self._clock.now_ms(), span.start_ns // NANOS_PER_MS
        if start_ms > now_ms + self._limits.max_span_future_ms:
            detail = f"span starts at {start_ms}, now is {now_ms}; check the sender's clock"
            return Rejection(reason="spanFromFuture", detail=detail, tags=tags)
        oldest_ms = self._limits.max_span_late_ms if self._archive else self._limits.max_span_age_ms
        if start_ms < now_ms - oldest_ms:
            detail = f"span starts at {start_ms}, spans older than {oldest_ms} ms go"
            return Rejection(reason="spanTooOld", detail=detail, tags=tags)
        return None

    def _is_late(self, span: Span) -> bool:
        """Return whether a span is too old for memory: it goes straight to the archive."""
        if self._clock is None:
            return False
        start_ms = span.start_ns // NANOS_PER_MS
        return start_ms < self._clock.now_ms() - self._limits.max_span_age_ms

    def _insert(self, spans: Sequence[Span], size: int) -> None:
        """Make ``spans`` visible; ``size`` is what they take of their record in bytes."""
        grown: dict[str, HeldTrace] = {}
        for span in spans:
            trace = self._insert_one(span, span.trace_id in grown)
            grown[span.trace_id] = trace
            trace.size += size // len(spans)
            self._size += size // len(spans)
            if len(trace) > 2 * self._limits.max_trace_spans:
                self._cut(span.trace_id, trace)
        for trace_id, trace in grown.items():
            if len(trace) > self._limits.max_trace_spans:
                self._cut(trace_id, trace)
        self._map.settle(self._seen_ns(), 2 * len(grown) + 16)

    def _insert_one(self, span: Span, opened: bool) -> HeldTrace:
        trace = self._traces.get(span.trace_id)
        if trace is None:
            trace = self._traces[span.trace_id] = HeldTrace()
        else:
            self._leave_second(span.trace_id, trace)
        if not opened:
            self._map.reopen(span.trace_id, trace)
        trace.add(span)
        self._seconds.setdefault(trace.second, {})[span.trace_id] = trace
        self._services[span.service] += 1
        self._count += 1
        self._newest_ns = max(self._newest_ns, span.start_ns)
        self._newest_end_ns = max(self._newest_end_ns, span.end_ns)
        return trace

    def _cut(self, trace_id: str, trace: HeldTrace) -> None:
        """Bring a trace back within the bound, with room for what comes next."""
        if not trace.dropped:
            most = self._limits.max_trace_spans
            _log.warning("trace cut", trace=trace_id, max_spans=most, service=min(trace.services))
        told, size = self._map.told_by(trace), trace.size
        gone = trace.cut(self._limits.max_trace_spans * 4 // 5 or 1)
        self._map.lose(trace, told)
        self._size += trace.size - size
        self._count -= len(gone)
        self._services.subtract(span.service for span in gone)

    def _seen_ns(self) -> int:
        """Return the present as far as the spans go: a lying sender's future is not believed."""
        if self._clock is None:
            return self._newest_end_ns
        return min(self._newest_end_ns, self._clock.now_ms() * NANOS_PER_MS)

    def _leave_second(self, trace_id: str, trace: HeldTrace) -> None:
        bucket = self._seconds[trace.second]
        del bucket[trace_id]
        if not bucket:
            del self._seconds[trace.second]

    def _evict(self) -> None:
        now_ns = self._newest_ns if self._clock is None else self._clock.now_ms() * NANOS_PER_MS
        oldest_ms = now_ns // NANOS_PER_MS - self._limits.max_span_age_ms
        first = oldest_ms // 1_000
        if first > self._evicted_second:
            self._evicted_second = first
            for second in [s for s in self._seconds if s < first]:
                self._drop_second(second)
            self._map.forget_before(oldest_ms)
        for second in sorted(self._seconds) if self._is_full() else ():
            self._drop_second(second)
            self._whole_from_second = max(self._whole_from_second, second + 1)
            if not self._is_full():
                break

    def _is_full(self) -> bool:
        return self._count > self._limits.max_spans or self._size > self._limits.max_span_bytes

    def _drop_second(self, second: int) -> None:
        for trace_id, trace in self._seconds.pop(second).items():
            del self._traces[trace_id]
            self._map.close(trace_id, trace)
            self._count -= len(trace)
            self._size -= trace.size
            self._services.subtract(span.service for span in trace)

    def _replay(self) -> None:
        for record in self._journal.replay(SPANS):
            try:
                spans = decode_spans(record)
            except StorageError as error:
                _log.warning("span record skipped", reason=error.message)
                continue
            with self._lock:
                good = self._sort_out(spans).good
                if good:
                    self._insert(good, len(record) * len(good) // len(spans))
                self._evict()
        self._replayed.set()

    def close(self) -> None:
        """Let the archive take what it has not taken yet."""
        if self._archive:
            self._archive.close()

    # -- reading -------------------------------------------------------------------------------

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        """Return the traces that match, newest start first, at most ``wanted.limit``."""
        limit = max(0, min(wanted.limit, MAX_LIMIT))
        with self._lock:
            candidates = list(self._newest_first(wanted))
            first_ms = self._first_ms()
        # A long search must not hold up the writers; a trace may grow meanwhile, which is no harm.
        matching = (trace for trace in candidates if _matches(trace, wanted))
        found = [_summary(trace) for trace in islice(matching, limit)]
        if self._archive is None or len(found) >= limit:
            return found
        return joined_search(self._archive, replace(wanted, limit=limit), found, first_ms)

    def trace(self, trace_id: str) -> tuple[Span, ...]:
        """Return the spans of :meth:`read`."""
        return tuple(self.read(trace_id).spans)

    def read(self, trace_id: str) -> TraceSpans:
        """Return a trace's spans by start, clock skew corrected; empty if it is not held.

        An id may be given in either case and without its leading zeros.
        """
        with self._lock:
            trace = self._traces.get(full_id := trace_id.lower().rjust(32, "0"))
            known = TraceSpans(spans=trace.held(), dropped=trace.dropped) if trace else TraceSpans()
            first_ms = self._first_ms()
        if self._archive:
            most = self._limits.max_trace_spans
            known = joined_trace(self._archive, full_id, known, first_ms, most)
        max_skew_ns = self._limits.max_skew_ms * NANOS_PER_MS
        return replace(known, spans=tuple(adjust_clock_skew(known.spans, max_skew_ns)))

    def compare(self, wanted: TraceSearch, limit: int = 10) -> Comparison:
        """Return what sets the spans that ``wanted`` describes apart from their like.

        The others are spans of the same service, operation and time that do not match. Of many
        the newest are compared.
        """
        alike = replace(wanted, error=None, min_duration_ms=None, max_duration_ms=None, tags={})
        bad: list[Span] = []
        good: list[Span] = []
        with self._lock:
            candidates = list(self._newest_first(wanted))
        spans = (span for trace in candidates for span in trace.held())
        for span in islice(filter(alike.matches_span, spans), MAX_COMPARED):
            chosen = wanted.matches_span(span) and wanted.matches_duration(span.duration_ns)
            (bad if chosen else good).append(span)
        return compare(bad, good, limit)

    def services(self) -> list[str]:
        """Return the names of the services that have spans, sorted."""
        with self._lock:
            return sorted(name for name, count in self._services.items() if count > 0)

    def edges(self, start_ms: int, end_ms: int) -> list[ServiceEdge]:
        """Return who called whom in calls that began between the two times."""
        with self._lock:
            calls = self._map.calls(start_ms, end_ms, self._seen_ns())
        return edges_of(calls)

    def _first_ms(self) -> int | None:
        """Return since when memory is whole, as the oldest traces go first; None: it is not.

        Spans that come late, after their like were dropped, make no past whole again.
        """
        if not self._seconds or not self._replayed.is_set():
            return None
        return max(min(self._seconds), self._whole_from_second) * 1_000

    def _newest_first(self, wanted: TraceSearch) -> Iterator[HeldTrace]:
        start_ns = -1 if wanted.start_ms is None else wanted.start_ms * NANOS_PER_MS
        end_ns = 2**63 if wanted.end_ms is None else (wanted.end_ms + 1) * NANOS_PER_MS
        for second in sorted(self._seconds, reverse=True):
            if start_ns // 1_000_000_000 <= second <= end_ns // 1_000_000_000:
                traces = self._seconds[second].values()
                for trace in sorted(traces, key=lambda t: t.start_ns, reverse=True):
                    if start_ns <= trace.start_ns < end_ns:
                        yield trace


def _matches(trace: HeldTrace, wanted: TraceSearch) -> bool:
    if wanted.service and wanted.service not in trace.services:
        return False
    if wanted.error and not trace.errors:
        return False
    if not wanted.about_span and not wanted.matches_duration(trace.end_ns - trace.start_ns):
        return False
    return any(map(wanted.matches_span, trace.held()))


def _summary(trace: HeldTrace) -> TraceSummary:
    return summarize(trace.held(), trace.dropped, trace.dropped_errors)
