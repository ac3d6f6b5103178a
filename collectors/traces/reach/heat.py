"""The heat map of a stretch of time, of memory and of history."""

from __future__ import annotations

from dataclasses import replace

from collectors.errors import StorageError
from collectors.traces.heat import Grid, HeatMap, add_blocks
from collectors.traces.reach.held import KeptSpans, Looked
from collectors.traces.search import TraceSearch

# Traces that began so long before the map may have spans in it.
LOOK_BACK_MS = 600_000


def heat_map(spans: KeptSpans, wanted: TraceSearch, grid: Grid) -> tuple[HeatMap, Looked]:
    """Return how many of the spans that a search means there are in each cell.

    The time of the search itself does not count: the map's does.
    """
    wanted = replace(wanted, start_ms=None, end_ms=None)
    found = HeatMap(grid)
    whole_ms, archive = spans.whole_from_ms(), spans.archive
    held_ms = grid.end_ms if whole_ms is None else max(grid.start_ms, whole_ms)
    if whole_ms is not None and held_ms < grid.end_ms:
        blocks = spans.blocks(max(0, held_ms - LOOK_BACK_MS), grid.end_ms)
        add_blocks(found, blocks, wanted)
    if held_ms <= grid.start_ms:
        return found, Looked(grid.start_ms)
    if archive is None:
        return found, _only_memory(held_ms, grid, "no history is kept")
    if wanted.query is not None:
        return found, _only_memory(held_ms, grid, "history is not asked for queries in TraceQL")
    try:
        archive.add_heat(found, wanted, min(held_ms, grid.end_ms))
    except StorageError as error:
        return found, _only_memory(held_ms, grid, f"history could not be asked: {error.message}")
    return found, Looked(grid.start_ms)


def _only_memory(held_ms: int, grid: Grid, why: str) -> Looked:
    note = f"Only what memory holds is counted: {why}."
    return Looked(held_ms if held_ms < grid.end_ms else None, (note,))
