"""The ingest kernel: raw samples in columns become one value a step, as Atlas normalises.

Sources: Netflix/atlas ``core/norm``: RateValueFunction, NormalizeValueFunction,
RollingValueFunction.
Where a counter starts we deviate: the open interval is weighted from the time of the counter's
first sample instead of assuming that it had run for a whole step.

The rate between two samples of a counter is weighed into each step by the part of the step that it
covers; what lies in the step that is still open is kept in ``partial``::

    steps end at      10        20        30        40 s
                  ─────┼─────────┼─────────┼─────────┼──
    samples            │     a   │         │  b      │       at 16 s and 33 s, r a second between
    r holds            │     ╞═══╪═════════╪══╡      │
                                 │         │  └ partial = r * 3/10
                                 │         └ step 30 = r
                                 └ step 20 = the partial so far + r * 4/10
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import called, inlined, kernel
from collectors.store.blocks.blocks import (
    BLOCK_STEPS,
    NEWS_BASE,
    NO_PAGE,
    OUTSIDE,
    RAW,
    HotArrays,
)
from collectors.store.blocks.pages import give_back, seal_full, seal_page, unpack_page
from collectors.store.series.kinds import COUNTER, GAUGE, SUM

SET, MAX, ADD, FILL = range(4)
# Samples of a series in one request from which on it counts as sent in bulk.
_BULK = 16


@inlined
def floor_div(time: int | np.int64, step: int) -> np.int64:
    """Divide by way of a float, then correct: an integer division takes several times as long."""
    quotient = np.int64(np.float64(time) / np.float64(step))
    if quotient * step > time:
        quotient -= 1
    return quotient


@inlined
def step_of(time: int, step: int) -> np.int64:
    """Return the index of the step whose interval contains ``time``, its end included."""
    quotient = floor_div(time, step)
    if quotient * step < time:
        quotient += 1
    return quotient


@called
def _new_page(hot: HotArrays, slot: int | np.int64, block: int | np.int64, series: int) -> np.int64:
    """Give ``series`` a raw page in ``block``: a fresh one, or its packed one unpacked.

    Returns -1 when no page is left.
    """
    entry = np.int64(hot.table[slot, series])
    if hot.tally[RAW, 0] > 0:
        hot.tally[RAW, 0] -= 1
        page = np.int64(hot.free[RAW, hot.tally[RAW, 0]])
    elif hot.tally[RAW, 2] < hot.pool.shape[0]:
        page = hot.tally[RAW, 2]
        hot.tally[RAW, 2] += 1
    else:
        return np.int64(-1)
    if entry == 0:
        for i in range(BLOCK_STEPS):
            hot.pool[page, i] = np.nan
        seal_full(hot, block - 1, series)
    else:
        unpack_page(hot, -entry - 1, hot.pool[page])
        give_back(hot, -entry - 1)
    hot.table[slot, series] = page + 1
    return page


@inlined
def _page(hot: HotArrays, slot: int | np.int64, block: int | np.int64, series: int) -> np.int64:
    """Return the page of ``series`` in ``block``, a new one if needed; -1 when none is left."""
    entry = np.int64(hot.table[slot, series])
    return entry - 1 if entry > 0 else _new_page(hot, slot, block, series)


@inlined
def put(hot: HotArrays, series: int, step: int | np.int64, value: float, how: int) -> None:
    """Write one normalised value; one that finds no place is counted."""
    block = step // BLOCK_STEPS
    slot = np.int64(np.uint32(block) % np.uint32(hot.ring.shape[0]))
    if hot.ring[slot] != block:
        hot.dropped[OUTSIDE] += 1
        return
    page = _page(hot, slot, block, series)
    if page < 0:
        hot.dropped[NO_PAGE] += 1
        return
    column = step - block * BLOCK_STEPS
    old = hot.pool[page, column]
    if how == SET or old != old:
        hot.pool[page, column] = value
    elif how == ADD:
        hot.pool[page, column] = old + value
    elif how == MAX and value > old:
        hot.pool[page, column] = value
    hot.dirty[slot] = 1
    hot.unsaved[slot] = 1
    hot.seen[series] = max(hot.seen[series], step)
    hot.news[series] = max(hot.news[series], NEWS_BASE - step)


@inlined
def _normalise(
    hot: HotArrays, series: int, state: int, time: int, value: float, step: int, how: int
) -> None:
    """Weigh ``value``, which holds since the last sample, into the steps that it covers.

    ``state`` is where the run's state is kept, ``how`` what becomes of values that are there.
    """
    last = hot.last_ms[state]
    boundary = floor_div(time, step) * step
    if last < boundary:
        next_boundary = floor_div(last, step) * step + step
        offset = last - next_boundary + step
        first = hot.partial[state] + value * ((step - offset) / step)
        end = floor_div(next_boundary, step)
        put(hot, series, end, first, how)
        while next_boundary < boundary:
            next_boundary += step
            end += 1
            put(hot, series, end, value, how)
        hot.partial[state] = value * ((time - boundary) / step)
    else:
        hot.partial[state] += value * ((time - last) / step)
    hot.last_ms[state] = time


@inlined
def _rate(hot: HotArrays, series: int, time: int, value: float, step: int) -> None:
    """One sample of a rate: RRDtool's weighted average with a heartbeat of one step."""
    last = hot.last_ms[series]
    if time <= last:
        if time < last // step * step:
            put(hot, series, step_of(time, step), value, FILL)
        return
    if last > 0 and time - last <= step:
        _normalise(hot, series, series, time, value, step, SET)
        return
    offset = time % step
    if offset == 0:
        put(hot, series, time // step, value, SET)
    else:
        put(hot, series, time // step, value * ((step - offset) / step), SET)
    hot.partial[series] = value * (offset / step)
    hot.last_ms[series] = time


@inlined
def _increase(before: float, value: float, whole: int) -> float:
    """Return what a counter counted between two readings, of which the second may be lower.

    Then it began again. With ``whole`` all that it shows was counted since (Prometheus,
    ``promql/functions.go`` ``extrapolatedRate``); else nothing is known (Atlas, ``core/norm``).
    """
    if value >= before:
        return value - before
    return value if whole and value > 0.0 else 0.0


@called
def _late_counter(
    hot: HotArrays, series: int, time: int, value: float, step: int, heartbeat: int, whole: int
) -> None:
    """One sample of a counter that is older than its newest.

    Late samples that follow one another make a run of their own, with its own state; it fills steps
    that have no value. Where the main run went over the same time, its rates already hold the
    increase, so what they cover stays.
    """
    late = len(hot.kind) + series
    last = hot.last_ms[late]
    if 0 < last < time and time - last <= heartbeat:
        delta = _increase(hot.last_value[late], value, whole)
        rate = delta * 1000.0 / (time - last)
        _normalise(hot, series, late, time, rate, step, FILL)
    else:
        hot.partial[late] = 0.0
        hot.last_ms[late] = time
    hot.last_value[late] = value


@inlined
def _counter(
    hot: HotArrays, series: int, time: int, value: float, step: int, heartbeat: int, whole: int
) -> None:
    """One sample of a cumulative counter; the first one, or one after a long gap, gives no rate.

    So does the first after parts (:mod:`parts`), which leave NaN as the newest value.
    """
    last = hot.last_ms[series]
    if time <= last:
        if time < last:
            _late_counter(hot, series, time, value, step, heartbeat, whole)
        return
    before = hot.last_value[series]
    if last > 0 and time - last <= heartbeat and before == before:
        delta = _increase(before, value, whole)
        rate = delta * 1000.0 / (time - last)
        _normalise(hot, series, series, time, rate, step, SET)
    else:
        hot.partial[series] = 0.0
        hot.last_ms[series] = time
        hot.seen[series] = max(hot.seen[series], step_of(time, step))
    hot.last_value[series] = value


@inlined
def _sample(
    hot: HotArrays, s: int, t: int, v: float, kind: int, step_ms: int, heartbeat_ms: int, whole: int
) -> None:
    """Apply one sample of a series of ``kind``."""
    if kind == GAUGE:
        put(hot, s, step_of(t, step_ms), v, MAX)
    elif kind == COUNTER:
        _counter(hot, s, t, v, step_ms, heartbeat_ms, whole)
    elif kind == SUM:
        put(hot, s, step_of(t, step_ms), v, ADD)
    else:
        _rate(hot, s, t, v, step_ms)


@kernel
def ingest(
    hot: HotArrays,
    series: NDArray[np.int32],
    time_ms: NDArray[np.int64],
    value: NDArray[np.float64],
    step_ms: int,
    heartbeat_ms: int,
    whole: int,
) -> None:
    """Apply samples (three columns of equal length) in their order; NaN means no sample.

    ``whole`` is 1 where counters that fall count whole, as Prometheus has it.
    """
    for i in range(len(series)):
        if value[i] == value[i]:
            s = series[i]
            _sample(hot, s, time_ms[i], value[i], hot.kind[s], step_ms, heartbeat_ms, whole)


@inlined
def _gauge_run(
    hot: HotArrays,
    series: int,
    time_ms: NDArray[np.int64],
    value: NDArray[np.float64],
    first: int | np.int64,
    last: int | np.int64,
    step_ms: int,
) -> None:
    """Apply samples ``first`` … ``last - 1`` of one gauge.

    Samples of a series follow one another in time, so the step is found without dividing and the
    page is looked up once a block. After many samples at once the next will be long in coming: the
    page is packed at once.

    What is held on to from one sample to the next::

        steps      │ 59 │ 60 │ 61 │ 62 │ …          end_ms: when the interval of `step` ends
        samples      x     x  x     x               in (end_ms - step_ms, end_ms]: the same step
                     └ page of block 0              in (end_ms, end_ms + step_ms]: the next one
                           └ page of block 1        anywhere else: divided

    ``page`` is -1 where the block has left the ring or no page is left: its samples are counted.
    """
    step, end_ms, newest = np.int64(0), np.int64(-1), np.int64(-1)
    oldest = np.int64(NEWS_BASE)
    block, page = np.int64(-1), np.int64(-1)
    for i in range(first, last):
        t, v = time_ms[i], value[i]
        if v != v:
            continue
        if end_ms < t <= end_ms + step_ms and end_ms >= 0:
            step += 1
            end_ms += step_ms
        elif not (end_ms - step_ms < t <= end_ms):
            step = step_of(t, step_ms)
            end_ms = step * step_ms
        if not (block * BLOCK_STEPS <= step < (block + 1) * BLOCK_STEPS) or block < 0:
            block = step // BLOCK_STEPS
            slot = np.int64(np.uint32(block) % np.uint32(hot.ring.shape[0]))
            page = np.int64(-1)
            if hot.ring[slot] == block:
                page = _page(hot, slot, block, series)
                hot.dirty[slot] = 1
                hot.unsaved[slot] = 1
        if page >= 0:
            column = step - block * BLOCK_STEPS
            old = hot.pool[page, column]
            if old != old or v > old:
                hot.pool[page, column] = v
            newest, oldest = max(newest, step), min(oldest, step)
        else:
            there = hot.ring[np.int64(np.uint32(block) % np.uint32(hot.ring.shape[0]))] == block
            hot.dropped[NO_PAGE if there else OUTSIDE] += 1
    if newest >= 0:
        hot.seen[series] = max(hot.seen[series], newest)
        hot.news[series] = max(hot.news[series], NEWS_BASE - oldest)
        if last - first >= _BULK:
            seal_page(hot, np.int64(np.uint32(block) % np.uint32(hot.ring.shape[0])), series)


@kernel
def ingest_rows(
    hot: HotArrays,
    ids: NDArray[np.int32],
    samples: NDArray[np.int32],
    time_ms: NDArray[np.int64],
    value: NDArray[np.float64],
    step_ms: int,
    heartbeat_ms: int,
) -> None:
    """Apply samples that follow one another by series; an id below zero is left out.

    Prometheus sent them, so counters that fall count whole.

    Args:
        hot: The blocks.
        ids: (S,) series.
        samples: (S,) how many samples each has.
        time_ms: (N,) their times.
        value: (N,) their values; NaN means no sample.
        step_ms: Base step.
        heartbeat_ms: Longest gap over which counters still give a rate.
    """
    last = 0
    for row in range(len(ids)):
        first = last
        last += samples[row]
        s = ids[row]
        if s < 0:
            continue
        kind = hot.kind[s]
        if kind == GAUGE:
            _gauge_run(hot, s, time_ms, value, first, last, step_ms)
        else:
            for i in range(first, last):
                if value[i] == value[i]:
                    _sample(hot, s, time_ms[i], value[i], kind, step_ms, heartbeat_ms, 1)


def counter_heartbeat_ms(step_ms: int) -> int:
    """Longest gap between counter samples over which a rate is still computed, as in Atlas."""
    return 120_000 if step_ms < 60_000 else 2 * step_ms
