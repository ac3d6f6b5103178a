"""Spans in the OpenTelemetry Collector's ``otel_traces`` layout: write, search, read a trace."""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

import numpy as np

from collectors.errors import TooCostlyError
from collectors.history import schema
from collectors.history.engine import HistoryEngine, quoted
from collectors.history.tokens import token_of
from collectors.model import Span
from collectors.traces.heat import BOUNDS_NS, HeatMap
from collectors.traces.held_trace import TraceSpans
from collectors.traces.history.newest_first import NewestFirst
from collectors.traces.history.query_sql import needs_attributes, rows_sql_of
from collectors.traces.history.span_rows import (
    INSERTED,
    LEAN_COLUMNS,
    SLIM_COLUMNS,
    decode_identity,
    decode_row,
    decode_slim_row,
    encode_rows,
    stored_identity,
)
from collectors.traces.history.span_sql import (
    SLACK_MS,
    candidates_sql,
    found_sql,
    heat_sql,
    held_sql,
    outline_sql,
    spans_sql,
    summaries_sql,
    totals_sql,
    trace_sql,
    whole_sql,
)
from collectors.traces.query.columns import SpanBlock
from collectors.traces.query.evaluation import MatchedSpans, matched
from collectors.traces.search import (
    MAX_LIMIT,
    NANOS_PER_MS,
    TraceSearch,
    TraceSummary,
    bounds_ns,
    summarize,
)
from collectors.traces.selection import in_box
from collectors.traces.tree.cutting import most_telling
from collectors.traces.tree.lineage import Identity, identity
from collectors.traces.tree.sampling import adjusted_count

SPAN_TABLE = "otel_traces"
TIMES_TABLE = "otel_traces_trace_id_ts"
# A search that does not say where to begin looks this far behind the newest span in question.
LOOK_BACK_MS = 86_400_000
# Of longer traces this many spans are looked at to choose from.
MAX_OUTLINE_SPANS = 100_000
# Identifiers of as many traces fit into one statement.
_AT_ONCE = 1_000
_FIRST_WINDOW_MS = 120_000
_FIRST_READING_MS = 30_000
# Found at once beyond what is asked for, and at most.
_FOUND_BEYOND = 10
_FOUND_AT_ONCE = 600
MAX_CANDIDATES = 2_000
"""Traces that the engine can't decide of that a query looks at."""
_CHUNK = 50
_TRACES_AT_ONCE = 500


class SpanHistory:
    """Spans in the ClickHouse dialect.

    Args:
        engine: The connection.
        max_trace_spans: Most spans of one trace in an answer.
        copies: Whether several processes write the same spans, so that a count tells them apart.
    """

    def __init__(
        self, engine: HistoryEngine, max_trace_spans: int = 20_000, *, copies: bool = False
    ) -> None:
        self._engine = engine
        self._copies = copies
        self._max_trace_spans = max_trace_spans
        self._table = f"{engine.database}.{SPAN_TABLE}"
        self._times = f"{engine.database}.{TIMES_TABLE}"
        engine.keep(schema.TRACES)
        if engine.embedded:
            for change in schema.NEWER_TRACES:
                engine.command(change.format(database=engine.database))

    @property
    def leads(self) -> bool:
        """Whether this process is the one of several that writes spans and drops them."""
        return self._engine.leads()

    def insert_spans(self, spans: Sequence[Span]) -> None:
        """Append spans; one written twice is answered once, a batch that comes again kept once."""
        if spans:
            rows = encode_rows(spans)
            self._engine.insert(
                SPAN_TABLE,
                rows,
                fmt="JSONCompactEachRow",
                columns=INSERTED,
                token=token_of(SPAN_TABLE, rows),
            )

    def missing(self, spans: Sequence[Span]) -> list[Span]:
        """Return those of ``spans`` that are not written yet."""
        if not spans:
            return []
        starts = [span.start_ns // NANOS_PER_MS for span in spans]
        traces = sorted({span.trace_id for span in spans})
        held: set[tuple[str, Identity]] = set()
        for at in range(0, len(traces), _AT_ONCE):
            chosen = traces[at : at + _AT_ONCE]
            rows = self._rows(held_sql(self._table, chosen, min(starts), max(starts)))
            held.update((row[0], decode_identity(row[1:])) for row in rows)
        return [span for span in spans if (span.trace_id, stored_identity(span)) not in held]

    def search(self, wanted: TraceSearch) -> list[TraceSummary]:
        """Return summaries of matching traces, newest start first, at most ``wanted.limit``.

        Without ``start_ms`` the last day before ``end_ms``, or before the newest span, is looked
        through.
        """
        limit = max(0, min(wanted.limit, MAX_LIMIT))
        return list(islice(self._newest(wanted, limit), limit))

    def _newest(self, wanted: TraceSearch, limit: int) -> Iterator[TraceSummary]:
        """Yield matching traces, newest first.

        Windows are read from the newest to the oldest, each by itself: most traces are so short
        that the first ones found are the newest. Where more begin before the last one found than
        are asked for, traces are put in order by the engine.
        """
        newest, told = NewestFirst(), set[str]()
        rows: list[tuple[Any, ...]] = []
        readings = list(self._readings(wanted))
        for at, (window, began_by_ms) in enumerate(readings):
            missing = limit - len(told) - len(rows)
            # What is rare overlaps less.
            size = min(_FOUND_AT_ONCE, missing + missing // 2 + max(2, _FOUND_BEYOND >> at))
            found = self._rows(found_sql(self._table, wanted, window, size, began_by_ms))
            rows += found
            is_full = len(found) == size
            if len(found) < missing and not is_full and window != readings[-1][0]:
                continue
            frontier_ns = found[-1][1] if is_full else window[0] * NANOS_PER_MS - 1
            traces = self._told(wanted, [row[0] for row in rows], *_around(rows))
            for summary in newest.told(traces, frontier_ns):
                told.add(summary.trace_id)
                yield summary
            if is_full:
                ended_ms = frontier_ns // NANOS_PER_MS
                end_ms = ended_ms if wanted.end_ms is None else min(ended_ms, wanted.end_ms)
                ordered = self._ordered(replace(wanted, end_ms=end_ms), limit)
                yield from (one for one in ordered if one.trace_id not in told)
                return
            rows = []
        yield from newest.told((), -1)

    def _readings(self, wanted: TraceSearch) -> Iterator[tuple[tuple[int, int], int | None]]:
        """Yield windows of spans, newest first; and by when their traces began, if that matters."""
        windows = list(self._windows(wanted, _FIRST_READING_MS, 3))
        if windows and wanted.end_ms is not None:
            end_ms = windows[0][1]
            yield (end_ms, end_ms + SLACK_MS), end_ms - 1
        yield from ((window, None) for window in windows)

    def _ordered(self, wanted: TraceSearch, limit: int) -> Iterator[TraceSummary]:
        """Yield matching traces, newest first, as the engine orders those that may be.

        It says which of them may be meant by a query, :func:`matched` decides.
        """
        looked_at, size = 0, max(1, min(limit, _CHUNK))
        for start_ms, end_ms in self._windows(wanted):
            for offset in count(0, size):
                sql = candidates_sql(self._table, wanted, start_ms, end_ms, size, offset)
                rows = self._rows(sql)
                if wanted.query is not None and looked_at > MAX_CANDIDATES:
                    raise TooCostlyError(
                        f"{MAX_CANDIDATES:,} traces that may match were looked at one by one and "
                        "too few do; ask for a shorter time or name more attributes"
                    )
                if rows:
                    first_ms, last_ms = min(row[1] for row in rows), max(row[2] for row in rows)
                    found = self._told(wanted, [row[0] for row in rows], first_ms, last_ms)
                    yield from (summary for _, summary in found)
                looked_at += len(rows)
                if len(rows) < size:
                    break

    def _told(
        self, wanted: TraceSearch, ids: Sequence[str], start_ms: int, end_ms: int
    ) -> Iterator[tuple[int, TraceSummary]]:
        """Yield start and summary of those of some traces that a search means.

        Args:
            wanted: The search.
            ids: The traces; that one span is meant, and their length, is known.
            start_ms: None of their spans that matter began before.
            end_ms: Nor after.
        """
        if not ids:
            return
        first_ns, beyond_ns = bounds_ns(wanted)
        for spans, selected in self._chosen(wanted, ids, (start_ms, end_ms)):
            start_ns = min(span.start_ns for span in spans)
            if first_ns <= start_ns < beyond_ns:
                summary = self._summary(spans, start_ms, end_ms)
                if selected is not None:
                    summary = replace(summary, matched=selected.spans, matched_count=selected.count)
                yield start_ns, summary

    def _chosen(
        self, wanted: TraceSearch, ids: Sequence[str], window: tuple[int, int]
    ) -> list[tuple[list[Span], MatchedSpans | None]]:
        """Return the spans of traces, and which of them a query selects, if there is one.

        A trace of which it selects none is left out.
        """
        query = wanted.query
        if query is None:
            return [(spans, None) for spans in self._outlined(ids, window)]
        wide = needs_attributes(query)
        rows = rows_sql_of(query) if wide else None
        traces = self._whole(ids, window, slim=not wide, rows=rows or "true")
        block = SpanBlock(traces)
        selected = matched(query, block, wanted.matched_spans, in_box(wanted, block))
        if rows is None:
            return [(traces[at], found) for at, found in selected.items()]
        # Attributes take most of the time: they are read of those spans alone that are asked for.
        named = {traces[at][0].trace_id: found for at, found in selected.items()}
        outlined = self._outlined(list(named), window) if named else []
        return [(spans, named[spans[0].trace_id]) for spans in outlined]

    def _whole(
        self, ids: Sequence[str], window: tuple[int, int], *, slim: bool, rows: str = "true"
    ) -> list[list[Span]]:
        """Return the spans of traces in the order of ``ids``; of a huge one the first in time.

        With ``slim`` they have no attributes, which take most of the time; with a condition on
        ``rows`` only those are returned.
        """
        columns, decode = (SLIM_COLUMNS, decode_slim_row) if slim else (LEAN_COLUMNS, decode_row)
        sql = whole_sql(self._table, ids, window, MAX_OUTLINE_SPANS, columns, rows)
        found = self._rows(sql)
        if len(found) >= MAX_OUTLINE_SPANS and len(ids) > 1:
            middle = len(ids) // 2
            parts = (ids[:middle], ids[middle:])
            return [
                trace for part in parts for trace in self._whole(part, window, slim=slim, rows=rows)
            ]
        traces: dict[str, list[Span]] = {trace_id: [] for trace_id in ids}
        for row in found:
            span = decode(row)
            traces[span.trace_id].append(span)
        return [spans for spans in traces.values() if spans]

    def _outlined(self, ids: Sequence[str], window: tuple[int, int]) -> list[list[Span]]:
        """Return the spans of traces, without attributes, in the order of ``ids``."""
        spans: dict[str, list[Span]] = {trace_id: [] for trace_id in ids}
        sql = summaries_sql(self._table, ids, *window, MAX_OUTLINE_SPANS)
        for row in self._rows(sql):
            span = decode_slim_row(row)
            spans[span.trace_id].append(span)
        return [held for held in spans.values() if held]

    def read(self, trace_id: str) -> TraceSpans:
        """Return the spans of a trace in order of their start; none when it is unknown.

        Of a larger trace than the bound the most telling spans are returned.
        """
        ((start_s, end_s, times),) = self._rows(
            "SELECT toUnixTimestamp(min(Start)), toUnixTimestamp(max(End)), count() "
            f"FROM {self._times} WHERE TraceId = {quoted(trace_id)}"
        )
        if not times:
            return TraceSpans()
        start_ms, end_ms = start_s * 1_000, (end_s + 1) * 1_000
        most = self._max_trace_spans
        rows = self._rows(trace_sql(self._table, trace_id, start_ms, end_ms, limit=most + 1))
        if len(rows) > most:
            return self._read_most_telling(trace_id, start_ms, end_ms)
        return TraceSpans(spans=tuple(map(decode_row, rows)))

    def add_heat(self, found: HeatMap, wanted: TraceSearch, end_ms: int) -> None:
        """Count the spans that a search without a query means, those that began before a time."""
        sql = heat_sql(self._table, wanted, found.grid, BOUNDS_NS, end_ms, copies=self._copies)
        rows = self._rows(sql)
        if rows:
            column, duration, failed, state, spans = zip(*rows, strict=True)
            grid, observed = found.grid, np.array(spans, dtype=np.int64)
            found.add_groups(
                np.array(column, dtype=np.int64) * grid.step_ms + grid.start_ms,
                np.array(duration, dtype=np.float64),
                np.array(list(map(adjusted_count, state))) * observed,
                np.array(failed, dtype=np.int64),
                observed,
            )

    def spans_meant(self, wanted: TraceSearch, before_ms: int | None, most: int) -> list[Span]:
        """Return spans that a search without a query means, the newest first."""
        return list(map(decode_row, self._rows(spans_sql(self._table, wanted, before_ms, most))))

    def traces(self, start_ms: int, before_ms: int, most: int) -> Iterator[list[list[Span]]]:
        """Yield the spans of traces that began between two times, newest first.

        Some traces at a time, until about ``most`` spans are told.
        """
        told = 0
        wanted = TraceSearch(start_ms=start_ms, end_ms=before_ms - 1)
        for first_ms, end_ms in self._windows(wanted):
            for offset in count(0, _TRACES_AT_ONCE):
                sql = candidates_sql(self._table, wanted, first_ms, end_ms, _TRACES_AT_ONCE, offset)
                found = self._rows(sql)
                if found:
                    first, last = min(row[1] for row in found), max(row[2] for row in found)
                    traces = self._whole([row[0] for row in found], (first, last), slim=False)
                    yield traces
                    told += sum(map(len, traces))
                if told >= most:
                    return
                if len(found) < _TRACES_AT_ONCE:
                    break

    def drop_before(self, time_ms: int) -> None:
        """Drop the days that ended before ``time_ms``."""
        first = datetime.fromtimestamp(time_ms / 1_000, UTC).date().isoformat()
        for table in (SPAN_TABLE, TIMES_TABLE):
            for name in self._engine.partitions(table):
                if name < first:
                    self._engine.drop_partition(table, name)

    def check(self) -> list[str]:
        """Have the engine verify its parts; return a sentence for each damaged one."""
        return [line for table in (SPAN_TABLE, TIMES_TABLE) for line in self._engine.check(table)]

    def _read_most_telling(self, trace_id: str, start_ms: int, end_ms: int) -> TraceSpans:
        total, _, _ = self._totals(trace_id, start_ms, end_ms)
        sql = outline_sql(self._table, trace_id, start_ms, end_ms, MAX_OUTLINE_SPANS)
        outline = list(map(decode_slim_row, self._rows(sql)))
        chosen = [outline[at] for at in most_telling(outline, self._max_trace_spans)]
        wanted = set(map(identity, chosen))
        ids = list(dict.fromkeys(span.span_id for span in chosen))
        spans: list[Span] = []
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            rows = self._rows(trace_sql(self._table, trace_id, start_ms, end_ms, span_ids=part))
            spans += (span for span in map(decode_row, rows) if identity(span) in wanted)
        spans.sort(key=lambda span: (span.start_ns, span.span_id))
        return TraceSpans(spans=tuple(spans), dropped=total - len(spans))

    def _totals(self, trace_id: str, start_ms: int, end_ms: int) -> tuple[int, int, int]:
        """Return how many spans a trace has, how many of them errors, and its last end, ns."""
        ((spans, errors, end_ns),) = self._rows(totals_sql(self._table, trace_id, start_ms, end_ms))
        return int(spans), int(errors), int(end_ns)

    def _summary(self, held: list[Span], start_ms: int, end_ms: int) -> TraceSummary:
        found = summarize(held)
        if len(held) <= self._max_trace_spans:
            return found
        # An answer with the trace has no more than that, and a statement may have cut it before.
        total, errors, end_ns = self._totals(found.trace_id, start_ms, end_ms + SLACK_MS)
        start_ns = min(span.start_ns for span in held)
        return replace(
            found,
            span_count=total,
            error_count=errors,
            duration_ms=(end_ns - start_ns) / NANOS_PER_MS,
            dropped_spans=total - self._max_trace_spans,
        )

    def _windows(
        self, wanted: TraceSearch, length_ms: int = _FIRST_WINDOW_MS, growth: int = 2
    ) -> Iterator[tuple[int, int]]:
        """Yield half-open windows that grow towards the past: what is dense is found at once."""
        bounds = self._rows(
            "SELECT toUnixTimestamp64Nano(min(Timestamp)), toUnixTimestamp64Nano(max(Timestamp)), "
            f"count() FROM {self._table}"
        )
        ((oldest_ns, newest_ns, spans),) = bounds
        if not spans:
            return
        newest_ms, oldest_ms = newest_ns // NANOS_PER_MS, oldest_ns // NANOS_PER_MS
        end_ms = 1 + (newest_ms if wanted.end_ms is None else min(wanted.end_ms, newest_ms))
        wanted_ms = end_ms - LOOK_BACK_MS if wanted.start_ms is None else wanted.start_ms
        first_ms = max(wanted_ms, oldest_ms)
        while end_ms > first_ms:
            start_ms = max(first_ms, end_ms - length_ms)
            yield start_ms, end_ms
            end_ms, length_ms = start_ms, growth * length_ms

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        columns = self._engine.columns(sql)
        return list(zip(*columns, strict=True)) if columns else []


def _around(rows: Sequence[tuple[str, int]]) -> tuple[int, int]:
    """Return between which times, epoch milliseconds, spans of traces that were found began."""
    times = [first_ns // NANOS_PER_MS for _, first_ns in rows]
    return min(times, default=0) - SLACK_MS, max(times, default=0) + SLACK_MS
