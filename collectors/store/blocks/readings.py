"""Readings beside the blocks: times within the step, and counters as they stood.

A block holds one value a step: of a gauge the value, of a counter a rate. PromQL asks for samples.
So for gauges and counters of Prometheus senders there is kept beside each block:

``phases``   when in its step each sample was taken, as long as that is the same in a whole block:
             a number for each series and block. Senders sample at a steady phase.
``times``    pages of the same, for the blocks in which it changes; a stale marker is negative.
``counters`` pages of what counters showed, which pack as other pages do.

::

    step ends at     10 s      20 s      30 s            a sample at 17 s is 3 s before its step's
    samples at        7 s       17 s      27.002 s       end: phases 3,001 (0 is none), until the
                      phase 3 s      └ pages: 3, 3, 2.998            third comes and makes pages

What is later than the end of a step's block is noted in the step that is still open first, so that
several samples in one step, of which the last counts, leave one phase.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import called, inlined, kernel
from collectors.model import FloatArray, IndexArray, IntArray
from collectors.store.blocks.blocks import BLOCK_STEPS, RAW, HotArrays, HotBlocks
from collectors.store.blocks.ingest import SET, floor_div, put, step_of
from collectors.store.blocks.rewinding import empty_after
from collectors.store.blocks.sealing import Sealer
from collectors.store.series.kinds import COUNTER, GAUGE
from collectors.store.series.reserve import reserve

STALE_BITS = 0x7FF0000000000002
# Of the pages of the blocks, how many may be held unpacked here: a share of what memory was set.
_RAW_SHARE = 0.3
_MIXED = -1
STATE = ("since", "open_step", "open_lag")


class Book(NamedTuple):
    """N series, R ring slots.

    Attributes:
        phases: (R, N) one more than the lag of all samples of a block, in milliseconds before the
            end of their step; 0 for none, -1 where ``times`` has a page.
        since: (N,) the first block in which readings were kept, 0 for none.
        open_step: (N,) the step of the newest sample, 0 for none.
        open_lag: (N,) its lag.
    """

    phases: NDArray[np.int32]
    since: IntArray
    open_step: IntArray
    open_lag: NDArray[np.int32]


class Readings:
    """Times and counters of the series that blocks hold.

    Args:
        blocks: Beside which they are kept.
        memory_bytes: What the blocks may take.
    """

    def __init__(self, blocks: HotBlocks, memory_bytes: int) -> None:
        series, ring = blocks.max_series, blocks.ring_blocks
        window_ms = (ring - 1) * BLOCK_STEPS * blocks.step_ms
        self.counters, self.times = (
            HotBlocks(
                step_ms=blocks.step_ms,
                hot_window_ms=window_ms,
                max_series=series,
                memory_bytes=memory_bytes,
            )
            for _ in range(2)
        )
        self.book = Book(
            phases=reserve((ring, series), np.int32),
            since=reserve((series,), np.int64),
            open_step=reserve((series,), np.int64),
            open_lag=reserve((series,), np.int32),
        )
        self._blocks = blocks
        self._sealers = [Sealer(self.counters), Sealer(self.times)]

    def apply(
        self, series: IndexArray, samples: IndexArray, time_ms: IntArray, value: FloatArray
    ) -> None:
        """Keep samples that follow one another by series; an id below zero is left out."""
        self.follow()
        keep(
            self._blocks.arrays.kind,
            self.counters.arrays,
            self.times.arrays,
            self.book,
            series,
            samples,
            time_ms,
            value.view(np.int64),
            value,
            self._blocks.step_ms,
        )

    def follow(self) -> None:
        """Move on to the block that the others are at."""
        head = self._blocks.head
        if self.times.head >= head:
            return
        before = self.times.arrays.ring.copy()
        self.counters.advance(head)
        self.times.advance(head)
        for slot in np.flatnonzero(before != self.times.arrays.ring).tolist():
            if before[slot] >= 0:
                self.book.phases[slot] = 0

    def seal(self, newest_step: int, top: int, samples: int) -> None:
        """Pack some pages of blocks that are over."""
        for sealer in self._sealers:
            sealer.work(newest_step, top, samples)

    def seal_block(self, block: int, top: int) -> None:
        """Pack all pages of a block."""
        for sealer in self._sealers:
            sealer.seal_block(block, top)

    def state(self, top: int) -> dict[str, NDArray[Any]]:
        """Return copies of the columns of the first ``top`` series, for a checkpoint."""
        return {name: getattr(self.book, name)[:top].copy() for name in STATE}

    def load_state(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Take the columns of a checkpoint, those that it has."""
        for name in STATE:
            if name in columns:
                getattr(self.book, name)[: len(columns[name])] = columns[name]

    def load_phases(self, block: int, phases: NDArray[np.int32]) -> None:
        """Take the phases of a block from a checkpoint."""
        slot = block % self._blocks.ring_blocks
        if self.times.arrays.ring[slot] == block:
            self.book.phases[slot, : len(phases)] = phases

    def forget(self, series: NDArray[Any]) -> None:
        """Forget series whose ids are given to others."""
        self.counters.forget(series)
        self.times.forget(series)
        self.book.phases[:, series] = 0
        for column in self.book[1:]:
            column[series] = 0

    def forget_after(self, step: int, top: int) -> None:
        """Forget what was sampled after ``step``: by a time that was not."""
        self.follow()
        for slot, block in enumerate(self.times.arrays.ring.tolist()):
            if block * BLOCK_STEPS > step:
                self.book.phases[slot] = 0
        empty_after(self.counters, step, top)
        empty_after(self.times, step, top)
        later = self.book.open_step > step
        self.book.open_step[later] = 0


@called
def _note(
    times: HotArrays, book: Book, series: int, step: int | np.int64, lag: int | np.int64
) -> None:
    """Note when in ``step`` a series was sampled; below zero it ended then."""
    block = step // BLOCK_STEPS
    slot = np.int64(np.uint32(block) % np.uint32(times.ring.shape[0]))
    if times.ring[slot] != block:
        return
    phase = np.int64(book.phases[slot, series])
    if phase == lag + 1 and lag >= 0:
        return
    if phase == 0 and lag >= 0:
        book.phases[slot, series] = lag + 1
        return
    fresh = times.table[slot, series] == 0
    if fresh and times.tally[RAW, 2] - times.tally[RAW, 0] >= _RAW_SHARE * times.pool.shape[0]:
        return
    put(times, series, step, np.float64(lag), SET)
    if phase > 0 and times.table[slot, series] > 0:
        page = times.table[slot, series] - 1
        for i in range(BLOCK_STEPS):
            if i != step - block * BLOCK_STEPS:
                times.pool[page, i] = np.float64(phase - 1)
    book.phases[slot, series] = _MIXED


@called
def _count(
    counters: HotArrays, book: Book, series: int, step: int | np.int64, value: float
) -> None:
    """Keep what a counter showed in ``step``, where it has no page yet, or a packed one.

    Without room for a page the counter is read from its rates until its next block.
    """
    block = step // BLOCK_STEPS
    slot = np.int64(np.uint32(block) % np.uint32(counters.ring.shape[0]))
    raw = counters.tally[RAW, 2] - counters.tally[RAW, 0]
    if counters.table[slot, series] > 0 or raw < _RAW_SHARE * counters.pool.shape[0]:
        put(counters, series, step, value, SET)
    else:
        book.since[series] = block + 1


@inlined
def _show(counters: HotArrays, book: Book, series: int, step: int | np.int64, value: float) -> None:
    """Keep what a counter showed in ``step``, at once where it has a page."""
    block = floor_div(step, BLOCK_STEPS)
    slot = np.int64(np.uint32(block) % np.uint32(counters.ring.shape[0]))
    page = np.int64(counters.table[slot, series]) - 1
    if page >= 0 and counters.ring[slot] == block:
        counters.pool[page, step - block * BLOCK_STEPS] = value
        counters.dirty[slot] = 1
    else:
        _count(counters, book, series, step, value)


@inlined
def _close(
    times: HotArrays, book: Book, series: int, step: int | np.int64, lag: int | np.int64
) -> None:
    """Note the lag of a step that is over: almost always that of its whole block."""
    block = floor_div(step, BLOCK_STEPS)
    slot = np.int64(np.uint32(block) % np.uint32(book.phases.shape[0]))
    if book.phases[slot, series] != lag + 1 or times.ring[slot] != block:
        _note(times, book, series, step, lag)


@inlined
def _keep_run(
    counters: HotArrays,
    times: HotArrays,
    book: Book,
    series: int,
    counter: bool,
    first: int | np.int64,
    last: int | np.int64,
    time_ms: IntArray,
    bits: IntArray,
    value: FloatArray,
    step_ms: int,
) -> None:
    """Keep samples ``first`` … ``last - 1`` of one series.

    They follow one another in time, so the step is found without dividing; calls, which pass every
    array, are for what is rare.
    """
    opened, open_lag = book.open_step[series], np.int64(book.open_lag[series])
    step, end_ms = np.int64(0), np.int64(-1)
    for i in range(first, last):
        v, t = value[i], time_ms[i]
        stale = bits[i] == STALE_BITS
        if v != v and not stale:
            continue
        if end_ms < t <= end_ms + step_ms and end_ms >= 0:
            step += 1
            end_ms += step_ms
        elif not (end_ms - step_ms < t <= end_ms):
            step = step_of(t, step_ms)
            end_ms = step * step_ms
        lag = end_ms - t
        if book.since[series] == 0:
            book.since[series] = step // BLOCK_STEPS
        if stale:
            # Where its step has a sample, the end is seen with the next.
            _note(times, book, series, step + 1 if step == opened else step, -1 - lag)
            continue
        if step > opened:
            if opened > 0:
                _close(times, book, series, opened, open_lag)
            opened, open_lag = step, lag
        elif step < opened:
            _note(times, book, series, step, lag)
        elif lag <= open_lag:
            open_lag = lag
        else:
            continue
        if counter:
            _show(counters, book, series, step, v)
    book.open_step[series], book.open_lag[series] = opened, open_lag


@kernel
def keep(
    kind: NDArray[np.int8],
    counters: HotArrays,
    times: HotArrays,
    book: Book,
    ids: IndexArray,
    samples: IndexArray,
    time_ms: IntArray,
    bits: IntArray,
    value: FloatArray,
    step_ms: int,
) -> None:
    """Keep samples (N) that follow one another by series (S); ids below zero are left out."""
    last = 0
    for row in range(len(ids)):
        first = last
        last += samples[row]
        series = ids[row]
        if series < 0:
            continue
        counter = kind[series] == COUNTER
        if counter or kind[series] == GAUGE:
            _keep_run(
                counters, times, book, series, counter, first, last, time_ms, bits, value, step_ms
            )
