"""The kernel for series that several streams feed: what each tells is added to what others told.

A counter's run (:mod:`ingest`) has one newest sample, so two processes that report one counter in
turn would each look like a reset of the other. Here every sample says over which interval it
counted, and its rate is *added* to the steps that it covers. Nothing has to be remembered of a
stream, so a restart of the server leaves no hole.

The step in which the newest part ends is still open: its shares are gathered in ``partial`` until a
part reaches beyond it, as the run of a counter does, so that a line does not dip at its end::

    steps end at      10        20        30        40 s
                  ─────┼─────────┼─────────┼─────────┼──
    one stream         │     ╞═══╪═════════╪══╡      │     a in a second
    another            │         │  ╞══════╪════╡    │     b in a second
                                 │         └ step 30 = a + b * 7/10
                                 └ step 20 = a * 4/10    partial = a * 3/10 + b * 5/10, for step 40
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined, kernel
from collectors.store.blocks.blocks import BLOCK_STEPS, HotArrays
from collectors.store.blocks.ingest import ADD, SET, floor_div, put, step_of
from collectors.store.series.kinds import COUNTER


@inlined
def _later(one: int, other: int | np.int64) -> int | np.int64:
    return max(other, one)


@inlined
def _close(hot: HotArrays, s: int, time: int, step: int) -> None:
    """Note the newest end; shares of a step that is over thereby go where they belong."""
    if time <= hot.last_ms[s]:
        return
    held = floor_div(hot.last_ms[s], step)
    if floor_div(time, step) > held:
        if hot.partial[s] != 0.0:
            put(hot, s, held + 1, hot.partial[s], ADD)
        hot.partial[s] = 0.0
    hot.last_ms[s] = time


@inlined
def _count(hot: HotArrays, s: int, start: int, time: int, value: float, step: int) -> None:
    """Spread ``value`` events over the steps between ``start`` and ``time``."""
    _close(hot, s, time, step)
    hot.last_value[s] = np.nan
    rate = value * 1000.0 / (time - start)
    over = floor_div(time, step)
    # What lies before all blocks has no place in them.
    oldest = floor_div(hot.last_ms[s], step) - hot.ring.shape[0] * BLOCK_STEPS
    first = floor_div(start, step) + 1
    if first < oldest:
        first = oldest
    for i in range(first, over + 1):
        put(hot, s, i, rate * ((i * step - _later(start, (i - 1) * step)) / step), ADD)
    rest = time - _later(start, over * step)
    if rest > 0:
        if over == floor_div(hot.last_ms[s], step):
            hot.partial[s] += rate * (rest / step)
        else:
            put(hot, s, over + 1, rate * (rest / step), ADD)


@kernel
def ingest_parts(
    hot: HotArrays,
    series: NDArray[np.int32],
    start_ms: NDArray[np.int64],
    time_ms: NDArray[np.int64],
    value: NDArray[np.float64],
    step_ms: int,
) -> None:
    """Apply parts (four columns of equal length) in their order; NaN means none.

    A counter's starts lie before its times. A part of any other kind takes the place of its step's
    value.
    """
    for i in range(len(series)):
        s, t, v = series[i], time_ms[i], value[i]
        if v != v:
            continue
        if hot.kind[s] == COUNTER:
            _count(hot, s, start_ms[i], t, v, step_ms)
        else:
            put(hot, s, step_of(t, step_ms), v, SET)
