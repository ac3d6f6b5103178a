"""Lines in the OpenTelemetry Collector's ``otel_logs`` layout: write, search, count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from collectors.history import schema
from collectors.history.engine import HistoryEngine
from collectors.history.tokens import token_of
from collectors.log_batch import BANDS, LogBatch, LogOrigin, band_of, pack, unpack
from collectors.logs.archive import Counts
from collectors.logs.history.line_sql import counts_sql, held_sql, lines_sql, stretches_of
from collectors.logs.search import LogLine, LogSearch
from collectors.model import IntArray

LOG_TABLE = "otel_logs"
INSERTED = (
    *("Timestamp", "TraceId", "SpanId", "SeverityText", "SeverityNumber", "ServiceName", "Body"),
    *("ResourceAttributes", "ScopeName", "ScopeVersion", "LogAttributes", "TraceFlags"),
)
NEWEST_NS = 9_214_646_400_000_000_000  # 2262-01-01; DateTime64(9) ends soon after
_APART_NS = 60_000_000_000
# Stretches of time that fit into one statement.
_AT_ONCE = 500

Identity = tuple[int, str, str, str]
"""What tells a line from others: time, service, span, text. Lines alike in all are counted."""


class LogHistory:
    """Lines in the ClickHouse dialect."""

    def __init__(self, engine: HistoryEngine) -> None:
        self._engine = engine
        self._table = f"{engine.database}.{LOG_TABLE}"
        engine.keep((schema.LOGS,))
        if engine.embedded:
            for change in schema.NEWER_LOGS:
                engine.command(change.format(database=engine.database))

    @property
    def leads(self) -> bool:
        """Whether this process is the one of several that writes lines and drops them."""
        return self._engine.leads()

    def insert(self, batches: Sequence[LogBatch], marks: Sequence[str] = ()) -> None:
        """Append lines; a write that comes again, with the same marks, is kept once.

        Args:
            batches: The lines.
            marks: Which batches they are: lines may be alike, and each of them counts.
        """
        rows = b"\n".join(encode_rows(batch) for batch in batches if len(batch))
        if rows:
            self._engine.insert(
                LOG_TABLE,
                rows,
                fmt="JSONCompactEachRow",
                columns=INSERTED,
                token=token_of(LOG_TABLE, *map(str.encode, marks), rows) if marks else None,
            )

    def missing(self, batches: Sequence[LogBatch]) -> list[LogBatch]:
        """Return the lines that are not written yet: of lines that are alike, as many as lack."""
        batches = [batch for batch in batches if len(batch)]
        if not batches:
            return []
        stretches = _stretches(np.concatenate([batch.time_ns for batch in batches]))
        held: Counter[Identity] = Counter()
        for at in range(0, len(stretches), _AT_ONCE):
            rows = self._rows(held_sql(self._table, stretches[at : at + _AT_ONCE]))
            held.update((int(row[0]), row[1], row[2], row[3]) for row in rows)
        return [batch.part(_lacking(batch, held)) for batch in batches]

    def search(self, wanted: LogSearch) -> list[LogLine]:
        """Return matching lines, newest first, at most ``wanted.limit``."""
        shown = 0
        time_ns = -1
        if wanted.before is not None and wanted.before.arrival < 0:
            time_ns, shown = wanted.before.time_ns, -wanted.before.arrival
        lines: list[LogLine] = []
        for stretch in stretches_of(wanted):
            part = replace(stretch, limit=wanted.limit - len(lines))
            for row in self._rows(lines_sql(self._table, part)):
                shown = shown + 1 if int(row[0]) == time_ns else 1
                time_ns = int(row[0])
                lines.append(_line(row, arrival=-shown))
            if len(lines) == wanted.limit:
                break
        return lines

    def counts(self, wanted: LogSearch, start_ms: int, step_ms: int, buckets: int) -> Counts:
        """Return how many lines match, (buckets, bands)."""
        counts = np.zeros((buckets, len(BANDS)), np.int64)
        for bucket, band, count in self._rows(counts_sql(self._table, wanted, start_ms, step_ms)):
            if 0 <= bucket < buckets:
                counts[int(bucket), min(int(band), len(BANDS) - 1)] += int(count)
        return counts

    def drop_before(self, time_ms: int) -> None:
        """Drop the days that ended before ``time_ms``."""
        first = datetime.fromtimestamp(time_ms / 1_000, UTC).date().isoformat()
        for name in self._engine.partitions(LOG_TABLE):
            if name < first:
                self._engine.drop_partition(LOG_TABLE, name)

    def check(self) -> list[str]:
        """Have the engine verify its parts; return a sentence for each damaged one."""
        return self._engine.check(LOG_TABLE)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        columns = self._engine.columns(sql)
        return list(zip(*columns, strict=True)) if columns else []


def encode_rows(batch: LogBatch) -> bytes:
    """Return lines in the format ``JSONCompactEachRow``, columns as in ``INSERTED``."""
    resources = [orjson.Fragment(orjson.dumps(_resource(origin))) for origin in batch.origins]
    rows = []
    numbers = zip(
        batch.time_ns.tolist(),
        batch.severity.tolist(),
        batch.origin.tolist(),
        batch.flags.tolist(),
        strict=True,
    )
    for at, (time_ns, severity, place, flags) in enumerate(numbers):
        origin = batch.origins[place]
        row = [
            _decimal_seconds(time_ns),
            batch.trace_ids[at],
            batch.span_ids[at],
            batch.levels[at] or level_of(severity),
            severity,
            origin.service,
            batch.bodies[at],
            resources[place],
            origin.scope_name,
            origin.scope_version,
            unpack(batch.attributes[at]),
            flags,
        ]
        rows.append(orjson.dumps(row))
    return b"\n".join(rows)


def level_of(severity: int) -> str:
    """Return what a severity number is called when its sender does not say.

    >>> level_of(17), level_of(0)
    ('ERROR', '')
    """
    return band_of(severity).name if severity else ""


def _stretches(time_ns: IntArray) -> list[tuple[int, int]]:
    """Return times as stretches, first and last of each: a late line is not of all days since."""
    times = np.unique(time_ns)
    parts = np.split(times, np.flatnonzero(np.diff(times) > _APART_NS) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def _lacking(batch: LogBatch, held: Counter[Identity]) -> IntArray:
    chosen = []
    for at, (time_ns, place) in enumerate(
        zip(batch.time_ns.tolist(), batch.origin.tolist(), strict=True)
    ):
        key = (time_ns, batch.origins[place].service, batch.span_ids[at], batch.bodies[at])
        if held[key] > 0:
            held[key] -= 1
        else:
            chosen.append(at)
    return np.array(chosen, np.int64)


def _resource(origin: LogOrigin) -> Mapping[str, str]:
    return unpack(origin.resource)


def _line(row: Sequence[Any], arrival: int) -> LogLine:
    time_ns, severity, level, body, service, resource, name, version, *others = row
    attributes, trace, span, flags = others
    return LogLine(
        time_ns=int(time_ns),
        severity=int(severity),
        level=level,
        body=body,
        origin=LogOrigin(
            service=service, resource=pack(resource), scope_name=name, scope_version=version
        ),
        attributes=pack(attributes),
        trace_id=trace,
        span_id=span,
        flags=int(flags),
        pattern="",
        arrival=arrival,
    )


def _decimal_seconds(time_ns: int) -> str:
    time_ns = max(0, min(time_ns, NEWEST_NS))
    return f"{time_ns // 1_000_000_000:010d}.{time_ns % 1_000_000_000:09d}"
