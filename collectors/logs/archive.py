"""One answer from memory and from what outlives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from collectors.errors import StorageError
from collectors.log_batch import BANDS, LogBatch
from collectors.logs.search import NANOS_PER_MS, Cursor, LogLine, LogSearch
from collectors.model import IntArray

_log = structlog.get_logger(__name__)
MAX_BUCKETS = 2_000

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer to a search.

    Attributes:
        lines: Newest first.
        next: Where the next page begins, None if there is none.
        notes: What the reader should know of it: parts that could not be looked at.
    """

    lines: Sequence[LogLine]
    next: Cursor | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many lines match, by time and severity.

    Attributes:
        start_ms: Beginning of the first bucket.
        step_ms: Length of a bucket.
        counts: (buckets, bands) int64, bands as :data:`~collectors.log_batch.BANDS`.
        notes: As of :class:`Found`.
    """

    start_ms: int
    step_ms: int
    counts: Counts
    notes: Sequence[str] = field(default=())


class LogArchive(Protocol):
    """Where acknowledged lines go for good."""

    def offer(self, batch: LogBatch, mark: str) -> None:
        """Take lines that are logged under ``mark``; never blocks and never fails."""
        ...

    def search(self, wanted: LogSearch) -> Sequence[LogLine]:
        """Return matching lines, newest first, at most ``wanted.limit``."""
        ...

    def counts(self, wanted: LogSearch, start_ms: int, step_ms: int, buckets: int) -> Counts:
        """Return how many lines match, as :class:`Histogram` has them."""
        ...

    def close(self) -> None:
        """Take what is not taken yet."""
        ...


def joined_lines(archive: LogArchive, wanted: LogSearch, found: Found, whole_from_ns: int) -> Found:
    """Return what memory has found, then what the archive has from before that.

    Args:
        archive: What is asked for the rest.
        wanted: The search.
        found: What memory has from ``whole_from_ns`` on.
        whole_from_ns: Since when memory is whole.

    Returns:
        A failing archive is told in the notes: memory's part is answered.
    """
    missing = wanted.limit - len(found.lines)
    if missing <= 0 or wanted.start_ns >= whole_from_ns:
        return found
    if wanted.pattern:
        return replace(found, notes=(*found.notes, _patternless(whole_from_ns)))
    earlier = replace(wanted, end_ns=min(wanted.end_ns, whole_from_ns), limit=missing)
    try:
        lines = archive.search(earlier)
    except StorageError as error:
        _log.error("history of log records can't be searched", reason=error.message)
        return replace(found, notes=(*found.notes, f"older lines: {error.message}"))
    every = (*found.lines, *lines)
    return replace(found, lines=every, next=every[-1].cursor if len(lines) == missing else None)


def joined_counts(
    archive: LogArchive, wanted: LogSearch, found: Histogram, whole_from_ns: int
) -> Histogram:
    """Return the counts of memory and those of the archive from before, added up."""
    if wanted.start_ns >= whole_from_ns:
        return found
    if wanted.pattern:
        return replace(found, notes=(*found.notes, _patternless(whole_from_ns)))
    earlier = replace(wanted, end_ns=min(wanted.end_ns, whole_from_ns))
    try:
        older = archive.counts(earlier, found.start_ms, found.step_ms, len(found.counts))
    except StorageError as error:
        _log.error("history of log records can't be counted", reason=error.message)
        return replace(found, notes=(*found.notes, f"older lines: {error.message}"))
    return replace(found, counts=found.counts + older)


def _patternless(whole_from_ns: int) -> str:
    moment = datetime.fromtimestamp(whole_from_ns // 1_000_000_000, UTC)
    return (
        f"lines before {moment:%Y-%m-%d %H:%M:%S} UTC are not looked at: history does not know"
        " patterns; search for their words"
    )


def counted(
    time_ns: IntArray, severity: NDArray[np.uint8], start_ms: int, step_ms: int, buckets: int
) -> Counts:
    """Return how many lines fall into each bucket and band."""
    at = (time_ns // NANOS_PER_MS - start_ms) // step_ms
    inside = (at >= 0) & (at < buckets)
    band = (severity[inside].astype(np.int64) + 3) // 4
    places = at[inside] * len(BANDS) + band
    flat = np.bincount(places, minlength=buckets * len(BANDS))
    return flat.astype(np.int64).reshape(buckets, len(BANDS))
