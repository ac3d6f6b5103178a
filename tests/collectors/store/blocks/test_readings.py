"""Counters and times beside the blocks, when there is no room for them."""

from __future__ import annotations

import numpy as np

from collectors.store.blocks.blocks import RAW, HotBlocks
from collectors.store.blocks.ingest import ingest
from collectors.store.blocks.readings import Readings
from collectors.store.blocks.step_samples import samples_of
from collectors.store.series.kinds import COUNTER

STEP_MS = 10_000
FIRST = 600


def test_a_counter_without_room_is_read_from_its_rates() -> None:
    """It would vanish from every panel as soon as memory is short."""
    blocks = HotBlocks(step_ms=STEP_MS, hot_window_ms=1_200_000, max_series=4, memory_bytes=1 << 20)
    readings = Readings(blocks, 1 << 20)
    blocks.arrays.kind[:2] = COUNTER
    blocks.advance(FIRST // 60 + 1)
    full = readings.counters.arrays
    ids = np.array([0], dtype=np.int32)
    times = (FIRST + np.arange(20, dtype=np.int64)) * STEP_MS
    totals = np.arange(20.0) * 30

    def kept() -> list[float]:
        ingest(blocks.arrays, np.repeat(ids, 20), times, totals, STEP_MS, 120_000, 1)
        readings.apply(ids, np.array([20], dtype=np.int32), times, totals)
        found: list[float] = samples_of(blocks, readings, ids, FIRST, 20).values[0].tolist()
        return found

    taken = full.tally[RAW].copy()
    full.tally[RAW] = (0, 0, len(full.pool))
    short = kept()
    assert np.diff(short[1:]).tolist() == [30.0] * 18
    full.tally[RAW] = taken
    ids = np.array([1], dtype=np.int32)
    assert kept() == totals.tolist()
