"""Batches of lines for tests."""

from __future__ import annotations

from collectors.clock import ManualClock
from collectors.host.journal import Journal, MemoryJournal
from collectors.limits import Limits
from collectors.log_batch import LogBatch, LogColumns, LogOrigin, Severity, pack
from collectors.logs.archive import LogArchive
from collectors.logs.search import LogSearch
from collectors.logs.store import LogStore
from collectors.logs.words import phrases_of

T0 = 1_700_000_000_000
NS = 1_000_000


def batch(
    *bodies: str,
    service: str = "shop",
    first_ms: int = T0,
    step_ms: int = 1,
    severity: int = Severity.INFO,
    trace_id: str = "",
    span_id: str = "",
    resource: str = "",
    flags: int = 0,
    **attributes: str,
) -> LogBatch:
    """Return lines of one service, ``step_ms`` apart."""
    columns = LogColumns()
    origin = LogOrigin(service=service, resource=resource)
    for at, body in enumerate(bodies):
        columns.add(
            origin,
            (first_ms + at * step_ms) * NS,
            severity=severity,
            body=body,
            attributes=pack(attributes),
            trace_id=trace_id,
            span_id=span_id,
            flags=flags,
        )
    return columns.batch()


def store_of(
    *batches: LogBatch,
    journal: Journal | None = None,
    limits: Limits | None = None,
    archive: LogArchive | None = None,
) -> LogStore:
    """Return a store that holds lines; it is an hour after ``T0``."""
    clock = ManualClock(T0 + 3_600_000)
    store = LogStore(journal or MemoryJournal(), clock, limits, archive=archive)
    for lines in batches:
        store.write_logs(lines)
    return store


def texts(store: LogStore, text: str = "", **wanted: object) -> list[str]:
    """Return the texts that a search finds, newest first."""
    search = LogSearch(phrases=tuple(phrases_of(text)), **wanted)  # type: ignore[arg-type]
    return [line.body for line in store.search(search).lines]
