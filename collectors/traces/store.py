"""The newest spans in memory, journaled, searchable.

Traces stand in buckets by the second of their start, so that the newest are found first and the
oldest dropped first, without sorting.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import structlog

from collectors.clock import Clock
from collectors.errors import StorageError
from collectors.host.journal import Journal
from collectors.limits import Limits
from collectors.model import Receipt, Rejection, Span, in_order
from collectors.traces.archive import SpanArchive, joined_search, joined_trace
from collectors.traces.held_search import matches, summary_of
from collectors.traces.held_trace import HeldTrace, TraceSpans
from collectors.traces.query.columns import SpanBlock
from collectors.traces.query.evaluation import matched
from collectors.traces.query.held_blocks import HeldBlocks
from collectors.traces.search import (
    MAX_LIMIT,
    NANOS_PER_MS,
    TraceSearch,
    TraceSummary,
    bounds_ns,
)
from collectors.traces.selection import in_box
from collectors.traces.served import Served, ServedLog
from collectors.traces.service_map import (
    CallColumns,
    ServiceEdge,
    ServiceMap,
    columns_of,
    edges_of,
)
from collectors.traces.span_record import decode_spans, encode_spans
from collectors.traces.tail import KEPT_SHARE, Reason, TailKeeping
from collectors.traces.traceql.query import Query
from collectors.traces.traffic import EdgeTraffic, traffic_of
from collectors.traces.tree.clock_skew import adjust_clock_skew
from collectors.traces.tree.lineage import Identity, identity

SPANS = 0x53
_MINUTE_NS = 60_000_000_000
SERVED_MS = 1_200_000
"""How long what spans served is remembered, for the rates of steps."""
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
        exemplars: The ids of traces that exemplars point to; these are kept for longer.

    Attributes:
        tail_kept: How many traces were kept when others had to go, by the reason.
    """

    def __init__(
        self,
        journal: Journal,
        limits: Limits | None = None,
        *,
        clock: Clock | None = None,
        archive: SpanArchive | None = None,
        replay_in_background: bool = False,
        exemplars: Container[str] = (),
    ) -> None:
        self._journal = journal
        self._limits = limits or Limits()
        self._clock = clock
        self._archive = archive
        self._lock = threading.Lock()
        self._traces: dict[str, HeldTrace] = {}
        self._seconds: dict[int, dict[str, HeldTrace]] = {}
        self._spans_of: Counter[int] = Counter()
        self._services: Counter[str] = Counter()
        self._map = ServiceMap(self._limits.pair_wait_ms, self._limits.max_calls)
        self._served = ServedLog()
        self._blocks: HeldBlocks[HeldTrace] = HeldBlocks()
        self._tail = TailKeeping(exemplars)
        self.tail_kept: Counter[Reason] = Counter()
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

    @property
    def size(self) -> int:
        """Bytes of these spans, as they stand in the log."""
        return self._size

    @property
    def archive(self) -> SpanArchive | None:
        """What answers for what memory no longer holds; None: nothing does."""
        return self._archive

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
        self._served.add(span)
        self._seconds.setdefault(trace.second, {})[span.trace_id] = trace
        self._spans_of[trace.second] += len(trace)
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
        self._spans_of[trace.second] -= len(gone)
        self._services.subtract(span.service for span in gone)

    def _seen_ns(self) -> int:
        """Return the present as far as the spans go: a lying sender's future is not believed."""
        if self._clock is None:
            return self._newest_end_ns
        return min(self._newest_end_ns, self._clock.now_ms() * NANOS_PER_MS)

    def _leave_second(self, trace_id: str, trace: HeldTrace) -> None:
        bucket = self._seconds[trace.second]
        del bucket[trace_id]
        self._spans_of[trace.second] -= len(trace)
        if not bucket:
            del self._seconds[trace.second], self._spans_of[trace.second]

    def _evict(self) -> None:
        now_ns = self._newest_ns if self._clock is None else self._clock.now_ms() * NANOS_PER_MS
        oldest_ms = now_ns // NANOS_PER_MS - self._limits.max_span_age_ms
        first = oldest_ms // 1_000
        if first > self._evicted_second:
            self._evicted_second = first
            for second in [s for s in self._seconds if s < first]:
                self._drop_second(second)
            self._map.forget_before(oldest_ms)
            self._served.forget_before((now_ns // NANOS_PER_MS - SERVED_MS) * NANOS_PER_MS)
        if self._is_full():
            self._make_room()

    def _make_room(self) -> None:
        """Thin the oldest seconds out; of what was thinned the oldest go for good.

        What is kept of thinned seconds takes a share of the room at most.
        """
        seconds = sorted(self._seconds)
        thinned = deque(second for second in seconds if second < self._whole_from_second)
        kept = sum(self._spans_of[second] for second in thinned)
        most = KEPT_SHARE * self._limits.max_spans
        for second in seconds[len(thinned) :]:
            if not self._is_full():
                return
            self._thin_second(second)
            self._whole_from_second = max(self._whole_from_second, second + 1)
            kept += self._spans_of[second]
            thinned.append(second)
            while thinned and (kept > most or self._size > self._limits.max_span_bytes):
                oldest = thinned.popleft()
                kept -= self._spans_of[oldest]
                self._drop_second(oldest)

    def _thin_second(self, second: int) -> None:
        """Drop the traces of a second but those that somebody will ask for."""
        self._blocks.forget(second)
        traces = self._seconds[second]
        for trace_id, trace in list(traces.items()):
            reason = self._tail.reason(trace_id, trace)
            if reason is None:
                del traces[trace_id]
                self._spans_of[second] -= len(trace)
                self._forget(trace_id, trace)
            else:
                self.tail_kept[reason] += 1
        if not traces:
            del self._seconds[second], self._spans_of[second]

    def _is_whole(self, trace: HeldTrace) -> bool:
        """Return whether every trace of its second is still held."""
        return trace.second >= self._whole_from_second

    def _is_full(self) -> bool:
        return self._count > self._limits.max_spans or self._size > self._limits.max_span_bytes

    def _drop_second(self, second: int) -> None:
        self._blocks.forget(second)
        self._spans_of.pop(second, None)
        for trace_id, trace in self._seconds.pop(second, {}).items():
            self._forget(trace_id, trace)

    def _forget(self, trace_id: str, trace: HeldTrace) -> None:
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
            candidates = [] if wanted.query else list(self._newest_first(wanted))
            seconds = self._whole_minutes(wanted) if wanted.query else {}
            first_ms = self._first_ms()
        # A long search must not hold up the writers; a trace may grow meanwhile, which is no harm.
        if wanted.query is None:
            matching = (trace for trace in candidates if matches(trace, wanted))
            found = [summary_of(trace) for trace in islice(matching, limit)]
        else:
            found = list(islice(self._queried(wanted.query, seconds, wanted), limit))
        if self._archive is None or len(found) >= limit:
            return found
        return joined_search(self._archive, replace(wanted, limit=limit), found, first_ms)

    def _queried(
        self, query: Query, seconds: dict[int, list[HeldTrace]], wanted: TraceSearch
    ) -> Iterator[TraceSummary]:
        """Yield the traces of which the query selects spans, newest first."""
        start_ns, end_ns = bounds_ns(wanted)
        for block, traces in self._blocks.newest_first(seconds):
            found = matched(query, block, wanted.matched_spans, in_box(wanted, block))
            for at, spans in found.items():
                trace = traces[at]
                if start_ns <= trace.start_ns < end_ns and matches(trace, wanted):
                    summary = summary_of(trace)
                    yield replace(summary, matched=spans.spans, matched_count=spans.count)

    def blocks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[SpanBlock]:
        """Yield what memory holds of the minutes between two times, newest first.

        What is left of times of which most traces had to go is left out: shares would be wrong.
        """
        with self._lock:
            seconds = self._whole_minutes(TraceSearch(start_ms=start_ms, end_ms=end_ms))
            whole = self._whole_from_second
        seconds = {second: traces for second, traces in seconds.items() if second >= whole}
        yield from (block for block, _ in self._blocks.newest_first(seconds))

    def _whole_minutes(self, wanted: TraceSearch) -> dict[int, list[HeldTrace]]:
        """Return the traces by second, of all minutes that the search reaches into."""
        start_ns, end_ns = bounds_ns(wanted)
        first, last = start_ns // _MINUTE_NS * 60, end_ns // _MINUTE_NS * 60 + 60
        return {
            second: list(traces.values())
            for second, traces in self._seconds.items()
            if first <= second < last
        }

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

    def spans_of(self, service: str, start_ms: int, end_ms: int, limit: int) -> list[Span]:
        """Return spans of a service in traces that began between the two times, newest first.

        Of what memory holds: at most ``limit`` of them.
        """
        wanted = TraceSearch(service=service, start_ms=start_ms, end_ms=end_ms)
        with self._lock:
            candidates = list(self._newest_first(wanted))
        own = (trace for trace in candidates if service in trace.services)
        spans = (span for trace in own for span in trace.held() if span.service == service)
        return list(islice(spans, limit))

    def services(self) -> list[str]:
        """Return the names of the services that have spans, sorted."""
        with self._lock:
            return sorted(name for name, count in self._services.items() if count > 0)

    def edges(self, start_ms: int, end_ms: int) -> list[ServiceEdge]:
        """Return who called whom in calls that began between the two times."""
        with self._lock:
            calls = self._map.calls(start_ms, end_ms, self._seen_ns())
        return edges_of(calls)

    def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> list[EdgeTraffic]:
        """Return what each edge carried in each step up to ``end_ms``, which is not included."""
        with self._lock:
            calls = self._map.calls(start_ms, end_ms - 1, self._seen_ns())
        return traffic_of(calls, step_ms)

    def served(self, start_ms: int, end_ms: int) -> Served:
        """Return what services did that ended after the first time and not after the second."""
        with self._lock:
            return self._served.between(start_ms * NANOS_PER_MS, end_ms * NANOS_PER_MS)

    def called(self, start_ms: int, end_ms: int) -> CallColumns:
        """Return the calls that began between the two times, those of open traces too."""
        with self._lock:
            calls = self._map.calls(start_ms, end_ms, self._seen_ns())
        return columns_of(calls)

    def whole_from_ms(self) -> int | None:
        """Return since when memory holds every span; None: since never."""
        with self._lock:
            return self._first_ms()

    def _first_ms(self) -> int | None:
        """Return since when memory is whole, as the oldest traces go first; None: it is not.

        Spans that come late, after their like were dropped, make no past whole again.
        """
        if not self._seconds or not self._replayed.is_set():
            return None
        return max(min(self._seconds), self._whole_from_second) * 1_000

    def _newest_first(self, wanted: TraceSearch) -> Iterator[HeldTrace]:
        start_ns, end_ns = bounds_ns(wanted)
        for second in sorted(self._seconds, reverse=True):
            if start_ns // 1_000_000_000 <= second <= end_ns // 1_000_000_000:
                traces = self._seconds[second].values()
                for trace in sorted(traces, key=lambda t: t.start_ns, reverse=True):
                    if start_ns <= trace.start_ns < end_ns:
                        yield trace
