"""Samples of series straight from their pages, one after the other, in one compiled pass.

For series whose samples are all held as they came: gauges, and counters whose readings were kept
all the while. What else there is (history, counters known by their rates alone) is put together in
:mod:`step_samples`, in several passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.kernel import called, kernel
from collectors.model import FloatArray, IndexArray, IntArray
from collectors.store.blocks.blocks import BLOCK_STEPS, HotArrays, HotBlocks
from collectors.store.blocks.pages import unpack_page
from collectors.store.blocks.readings import STALE_BITS, Book, Readings
from collectors.store.series.kinds import COUNTER

_Bounds = tuple[int, int, int, int, int]
"""First step, the one behind the last, base step; after which time, and up to which."""
_Out = tuple[IntArray, FloatArray, IntArray]
"""Times, values, and the values as whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where samples are written, used again for the next series.

    Attributes:
        offsets: (S + 1,) where those of each series begin.
        times: (N,) epoch milliseconds.
        values: (N,) values.
        pages: (2, BLOCK_STEPS) to unpack pages in.
    """

    offsets: IntArray
    times: IntArray
    values: FloatArray
    pages: FloatArray


def room_for(series: int, steps: int) -> Room:
    """Return room for as many series with a sample a step."""
    return Room(
        offsets=np.empty(series + 1, dtype=np.int64),
        times=np.empty(series * steps, dtype=np.int64),
        values=np.empty(series * steps),
        pages=np.empty((2, BLOCK_STEPS)),
    )


def readable(blocks: HotBlocks, readings: Readings, ids: IndexArray, first: int) -> bool:
    """Return whether all samples of series are held as they came, from the step ``first`` on."""
    since = readings.book.since[ids]
    kept = (since > 0) & (since * BLOCK_STEPS <= first)
    return bool((kept | (blocks.arrays.kind[ids] != COUNTER)).all())


def fill(
    blocks: HotBlocks,
    readings: Readings,
    ids: IndexArray,
    steps: tuple[int, int],
    span_ms: tuple[int, int],
    room: Room,
) -> int:
    """Write the samples of series to ``room``; return how many there are.

    Args:
        blocks: Values of gauges.
        readings: What counters showed, and when.
        ids: (S,) series.
        steps: The first step, and how many.
        span_ms: After which time, and up to which.
        room: For S series and as many steps.
    """
    _fill(
        blocks.arrays,
        readings.counters.arrays,
        readings.times.arrays,
        readings.book,
        ids,
        (steps[0], steps[0] + steps[1], blocks.step_ms, *span_ms),
        room.pages,
        room.offsets,
        (room.times, room.values, room.values.view(np.int64)),
    )
    return int(room.offsets[len(ids)])


@called
def _page(
    hot: HotArrays, slot: int | np.int64, block: int | np.int64, series: int, out: FloatArray
) -> bool:
    """Write a page to ``out``; return whether there is one."""
    entry = np.int64(hot.table[slot, series]) if hot.ring[slot] == block else np.int64(0)
    if entry > 0:
        for i in range(BLOCK_STEPS):
            out[i] = hot.pool[entry - 1, i]
    elif entry < 0:
        unpack_page(hot, -entry - 1, out)
    return bool(entry != 0)


@called
def _shown(
    gauges: HotArrays,
    counters: HotArrays,
    slot: int | np.int64,
    block: int | np.int64,
    series: int,
    out: FloatArray,
) -> bool:
    """Write the page of what a series showed to ``out``; return whether there is one."""
    if gauges.kind[series] == COUNTER:
        return _page(counters, slot, block, series, out)
    return _page(gauges, slot, block, series, out)


@called
def _whole(values: FloatArray) -> bool:
    """Return whether no value is missing."""
    missing = 0
    for i in range(len(values)):
        missing += int(values[i] != values[i])
    return missing == 0


@called
def _copy(
    values: FloatArray,
    time: int | np.int64,
    step_ms: int,
    out_values: FloatArray,
    out_times: IntArray,
) -> None:
    """Copy values, and write their times."""
    for i in range(len(values)):
        out_values[i] = values[i]
    for i in range(len(values)):
        out_times[i] = time + i * step_ms


@called
def _one_by_one(
    pages: FloatArray,
    valued: bool,
    timed: bool,
    phase: np.int64,
    block_of: tuple[int, int, int, np.int64],
    open_lag: np.float64,
    bounds: _Bounds,
    at: np.int64,
    out: _Out,
) -> np.int64:
    """Write samples ``low`` … ``high - 1`` of a block, each with its own lag; return the end."""
    begin, low, high, opened = block_of
    _, _, step_ms, first_ms, last_ms = bounds
    out_times, out_values, out_bits = out
    values, lags = pages[0], pages[1]
    for i in range(low, high):
        lag = lags[i] if timed and lags[i] == lags[i] else np.float64(phase)
        if begin + i == opened and lag >= 0:
            lag = open_lag
        ended = lag < 0
        value = values[i] if valued else np.nan
        time = (begin + i) * step_ms - np.int64(-1 - lag if ended else lag)
        if (value != value and not ended) or not first_ms < time <= last_ms:
            continue
        out_times[at], out_values[at] = time, value
        if ended:
            out_bits[at] = STALE_BITS
        at += 1
    return at


@kernel
def _fill(
    gauges: HotArrays,
    counters: HotArrays,
    times: HotArrays,
    book: Book,
    ids: IndexArray,
    bounds: _Bounds,
    pages: FloatArray,
    offsets: IntArray,
    out: _Out,
) -> None:
    first, end, step_ms, first_ms, last_ms = bounds
    out_times, out_values, _ = out
    at = np.int64(0)
    values, lags = pages[0], pages[1]
    slots = gauges.ring.shape[0]
    for n in range(len(ids)):
        offsets[n] = at
        series = ids[n]
        opened, open_lag = book.open_step[series], np.float64(book.open_lag[series])
        for block in range(first // BLOCK_STEPS, (end - 1) // BLOCK_STEPS + 1):
            slot = block % slots
            valued = _shown(gauges, counters, slot, block, series, values)
            timed = _page(times, slot, block, series, lags)
            if not valued and not timed:
                continue
            steady = book.phases[slot, series] > 0 and times.ring[slot] == block
            phase = np.int64(book.phases[slot, series] - 1 if steady else 0)
            begin = block * BLOCK_STEPS
            low, high = max(first - begin, 0), min(end - begin, BLOCK_STEPS)
            if not timed and not begin <= opened < begin + BLOCK_STEPS:
                # As almost always: all samples of the block stand at one phase.
                time = (begin + low) * step_ms - phase
                end_ms = time + (high - low - 1) * step_ms
                own = values[low:high]
                if time > first_ms and end_ms <= last_ms and _whole(own):
                    ends = at + high - low
                    _copy(own, time, step_ms, out_values[at:ends], out_times[at:ends])
                    at = ends
                    continue
                for i in range(len(own)):
                    if own[i] == own[i] and first_ms < time <= last_ms:
                        out_times[at] = time
                        out_values[at] = own[i]
                        at += 1
                    time += step_ms
                continue
            block_of = begin, low, high, opened
            at = _one_by_one(pages, valued, timed, phase, block_of, open_lag, bounds, at, out)
    offsets[len(ids)] = at
