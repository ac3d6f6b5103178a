"""Sealed blocks answer as before, take late samples, and give their pages back."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.model import SeriesKind
from collectors.store.blocks.aggregation import COUNT, MAX, MIN, SUM, aggregate
from collectors.store.blocks.blocks import BLOCK_STEPS, PACKED, RAW, SMALL, HotBlocks
from collectors.store.blocks.ingest import ingest
from collectors.store.blocks.sealing import Sealer, gather_pages
from collectors.store.metric_store import MetricStore
from collectors.store.series.kinds import KINDS
from collectors.store.testing.encoder import write_request

SERIES = 5
values = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.integers(0, 254).map(float),  # small pages
    st.integers(0, 1000).map(lambda k: k / 60),
    st.floats(-1e9, 1e9),
)
writes = st.lists(
    st.tuples(st.integers(0, SERIES - 1), st.integers(0, 3 * BLOCK_STEPS - 1), values), max_size=60
)


def filled(batches: list[list[tuple[int, int, float]]], *, sealed: bool) -> HotBlocks:
    """Write batches of (series, step, value); between them seal, or not."""
    blocks = HotBlocks(
        step_ms=60_000, hot_window_ms=4 * BLOCK_STEPS * 60_000, max_series=8, memory_bytes=1 << 20
    )
    blocks.advance(2)
    blocks.arrays.kind[:] = KINDS.index(SeriesKind.SUM)
    sealer = Sealer(blocks)
    for batch in batches:
        series = np.array([s for s, _, _ in batch], dtype=np.int32)
        times = np.array([step * 60_000 for _, step, _ in batch], dtype=np.int64)
        column = np.array([value for _, _, value in batch], dtype=np.float64)
        ingest(blocks.arrays, series, times, column, 60_000, 120_000, 0)
        if sealed:
            for block in range(3):
                sealer.seal_block(block, SERIES)
            blocks.recycle()
    return blocks


@settings(max_examples=100, deadline=None)
@given(batches=st.lists(writes, min_size=1, max_size=4), op=st.sampled_from([SUM, COUNT, MIN, MAX]))
def test_answers_do_not_depend_on_sealing(
    batches: list[list[tuple[int, int, float]]], op: int
) -> None:
    """A query would answer otherwise once a block is packed."""
    ids = np.arange(SERIES, dtype=np.int32)
    group = np.array([0, 1, 0, 1, 0], dtype=np.int32)
    answers = []
    for sealed in (False, True):
        blocks = filled(batches, sealed=sealed)
        answers += [
            aggregate(
                blocks.arrays,
                ids,
                group,
                groups=2,
                first=0,
                columns=3 * BLOCK_STEPS // multiple,
                op=op,
                multiple=multiple,
            )
            for multiple in (1, 7)
        ]
    np.testing.assert_array_equal(answers[0], answers[2])
    np.testing.assert_array_equal(answers[1], answers[3])


def test_pages_are_gathered_from_both_forms() -> None:
    """Checkpoints and history would miss the packed pages, or the others."""
    blocks = filled([[(0, 5, 1.0), (1, 5, 0.1234567)]], sealed=True)
    held = blocks.arrays.table[0, :2]
    assert held[0] < 0 < held[1]
    pages = gather_pages(blocks.arrays, 0, np.array([0, 1], dtype=np.int32))
    assert pages[:, 5].tolist() == [1.0, 0.1234567]
    assert np.isnan(np.delete(pages, 5, axis=1)).all()


def test_every_page_comes_back() -> None:
    """After all blocks left the ring, no page is in use."""
    blocks = filled(
        [[(s, step, 1.0) for s in range(SERIES) for step in (3, 70, 130)]] * 3, sealed=True
    )
    blocks.advance(50)
    blocks.recycle()
    for sort in (RAW, PACKED, SMALL):
        free, waiting, taken = blocks.arrays.tally[sort].tolist()
        assert (free, waiting) == (taken, 0)
        assert sorted(blocks.arrays.free[sort, :free].tolist()) == list(range(taken))


def test_a_store_seals_what_is_over(tmp_path: Path) -> None:
    """Nothing would be packed, so that a day takes four times the memory."""
    now_ms = 1_700_000_000_000
    store = MetricStore.open(
        tmp_path,
        step_ms=1_000,
        hot_window_ms=600_000,
        clock=ManualClock(now_ms),
        limits=Limits(max_series=1_000),
    )
    for second in range(300, -1, -1):
        samples = [(now_ms - second * 1_000, float(second % 9))]
        store.write_remote(
            write_request([({"__name__": "g", "id": str(i)}, samples) for i in range(20)])
        )
    arrays = store._hot.blocks.arrays
    assert (arrays.table < 0).sum() >= 60
    assert (arrays.table > 0).sum() <= 40
    store.close()
