"""What sets some spans apart from their like, of memory and, for times before it, of history."""

from __future__ import annotations

from dataclasses import dataclass, replace

from collectors.errors import StorageError
from collectors.model import Span
from collectors.traces.archive import SpanArchive
from collectors.traces.compare import Comparison, compare
from collectors.traces.query.columns import SpanBlock
from collectors.traces.reach.blocks import Reach
from collectors.traces.reach.held import KeptSpans, Looked
from collectors.traces.search import TraceSearch
from collectors.traces.selection import apart, apart_by_operation
from collectors.traces.tree.lineage import Identity, identity

MAX_COMPARED = 50_000
"""Spans compared, half of them those to be explained; of more those that are evenly spread."""

MAX_OLD_COMPARED = 10_000
"""Spans of history compared, the newest; as many again are those to be explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison, how many more spans memory had, and what was not looked at."""

    comparison: Comparison
    left_out: int
    looked: Looked


def compared(spans: KeptSpans, wanted: TraceSearch, limit: int = 10) -> Compared:
    """Return what sets the spans that a search means apart from their like.

    Their like are, where a box says which are meant, all others that the rest of the search means;
    else spans of the same service, operation and time that it does not mean, of a query those of
    the services and operations that it selects.
    """
    alike = replace(wanted, box=None)
    if wanted.box is None:
        alike = replace(
            alike, error=None, min_duration_ms=None, max_duration_ms=None, tags={}, query=None
        )
    split = apart_by_operation if wanted.query is not None and wanted.box is None else apart
    if wanted.query is not None:
        # What a query means is seen of whole traces alone.
        reach = Reach(spans, wanted.start_ms, wanted.end_ms)
        bad, good = split(reach, wanted, alike)
        looked = reach.looked
    else:
        old, looked = _older(spans, wanted, alike)
        bad, good = split((*spans.blocks(wanted.start_ms, wanted.end_ms), *old), wanted, alike)
    chosen, others = bad.spread(MAX_COMPARED // 2), good.spread(MAX_COMPARED // 2)
    return Compared(
        comparison=compare(chosen, others, limit),
        left_out=len(bad) + len(good) - len(chosen) - len(others),
        looked=looked,
    )


def _older(
    spans: KeptSpans, wanted: TraceSearch, alike: TraceSearch
) -> tuple[list[SpanBlock], Looked]:
    """Return what history has of the time before memory, as far as a search reaches back."""
    whole_ms, archive = spans.whole_from_ms(), spans.archive
    if wanted.start_ms is None or (whole_ms is not None and wanted.start_ms >= whole_ms):
        return [], Looked(whole_ms)
    why = "no history is kept"
    if archive is not None:
        try:
            return _of_history(archive, wanted, alike, whole_ms)
        except StorageError as error:
            why = f"history could not be asked: {error.message}"
    return [], Looked(whole_ms, (f"Only what memory holds is compared: {why}.",))


def _of_history(
    archive: SpanArchive, wanted: TraceSearch, alike: TraceSearch, before_ms: int | None
) -> tuple[list[SpanBlock], Looked]:
    found: dict[tuple[str, Identity], Span] = {}
    full = False
    for search in (wanted, alike):
        told = archive.spans_meant(search, before_ms, MAX_OLD_COMPARED)
        full = full or len(told) >= MAX_OLD_COMPARED
        found.update({(span.trace_id, identity(span)): span for span in told})
    note = f"Of history the newest {MAX_OLD_COMPARED:,} spans of each kind are compared."
    looked = Looked(wanted.start_ms, (note,) if full else ())
    return ([SpanBlock([[span] for span in found.values()])] if found else []), looked
