"""All traces of a stretch of time: those in memory, then older ones of history, up to a bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collectors.errors import StorageError
from collectors.model import Span
from collectors.traces.archive import SpanArchive
from collectors.traces.query.columns import SpanBlock
from collectors.traces.reach.held import KeptSpans, Looked
from collectors.traces.search import NANOS_PER_MS

_NEVER_MS = 1 << 53
MAX_OLD_SPANS = 50_000
"""Spans of history that one question looks at, those of the newest traces."""


class Reach:
    """Blocks of whole traces, newest first; no trace is in two of them.

    Without ``start_ms`` memory alone is looked at.

    Args:
        spans: Who has them.
        start_ms: Earliest start of a trace, epoch milliseconds.
        end_ms: Latest start of a trace.

    Attributes:
        looked: How far it went; right when all blocks were taken.
    """

    def __init__(self, spans: KeptSpans, start_ms: int | None, end_ms: int | None) -> None:
        self._spans = spans
        self._start_ms = start_ms
        self._end_ms = end_ms
        self.looked = Looked()

    def __iter__(self) -> Iterator[SpanBlock]:
        """Yield the blocks."""
        whole_ms, start_ms = self._spans.whole_from_ms(), self._start_ms
        self.looked = Looked(whole_ms)
        yield from self._spans.blocks(start_ms, self._end_ms)
        if start_ms is None:
            return
        if whole_ms is not None and start_ms >= whole_ms:
            self.looked = Looked(start_ms)
        elif self._spans.archive is None:
            self._stop("no history is kept")
        else:
            yield from self._older(self._spans.archive, start_ms, whole_ms)

    def _older(
        self, archive: SpanArchive, start_ms: int, whole_ms: int | None
    ) -> Iterator[SpanBlock]:
        ends = [end for end in (whole_ms, self._end_ms and self._end_ms + 1) if end is not None]
        told, oldest_ms = 0, whole_ms
        try:
            for traces in archive.traces(start_ms, min(ends, default=_NEVER_MS), MAX_OLD_SPANS):
                yield SpanBlock(traces)
                told += sum(map(len, traces))
                oldest_ms = _began_ms(traces[-1])
        except StorageError as error:
            self._stop(f"history could not be asked: {error.message}")
            return
        self.looked = Looked(start_ms)
        if told >= MAX_OLD_SPANS:
            note = f"Of history only the newest {told:,} spans were looked at: ask for less time."
            self.looked = Looked(oldest_ms, (note,))

    def _stop(self, why: str) -> None:
        note = f"Only what memory holds was looked at: {why}."
        self.looked = Looked(self.looked.from_ms, (note,))


def _began_ms(spans: Sequence[Span]) -> int:
    return min(span.start_ns for span in spans) // NANOS_PER_MS
