"""Tails: how many of a series' values so far were at least so large, or at most so small.

A histogram of two bins an octave below the largest value seen, which forgets by letting what comes
weigh more (as exponential decay does, without touching every bin each time). What lies below the
lowest bin counts as nothing at all.
"""

from __future__ import annotations

import math

from anomaly.detectors.novelty.row import BINS, WEIGHT, RowArray
from collectors.kernel import inlined

_TOP, _TOTAL = BINS, BINS + 1
_HALF_OCTAVE = math.sqrt(0.5)
_GROWTH = 2.0 ** (1.0 / 30_000.0)
_MOST = 1e6
_SMALLEST = 1e-30
_MAX_RISE = 12
"""Half octaves that one value may raise the top by: 64 times."""
_ORIGIN = 1_000
"""Added to the number of the top half octave, so that 0 says that there is none."""


@inlined
def _half_octave(value: float) -> tuple[int, float]:
    """Return in which half octave a positive value lies and how far in it, from 0 to 1."""
    part, octave = math.frexp(value)
    if part < _HALF_OCTAVE:
        return 2 * octave, (part - 0.5) / (_HALF_OCTAVE - 0.5)
    return 2 * octave + 1, (part - _HALF_OCTAVE) / (1.0 - _HALF_OCTAVE)


@inlined
def beyond(rows: RowArray, i: int, tail: int, value: float) -> float:
    """Return the weight of what was at or beyond ``value``, interpolated in its own bin."""
    total = rows[i, tail + _TOTAL]
    if total == 0.0 or not value > _SMALLEST:
        return float(total)
    half, inside = _half_octave(value)
    bin_ = int(rows[i, tail + _TOP]) - _ORIGIN - half
    if bin_ < 0:
        return 0.0
    if bin_ >= BINS:
        bin_ = BINS - 1
        inside = 0.0
    weight = rows[i, tail + bin_] * (1.0 - inside)
    for each in range(bin_):
        weight += rows[i, tail + each]
    return float(weight)


@inlined
def log_upper(rows: RowArray, i: int, tail: int, value: float) -> float:
    """Return log10 of the probability of a value of at least ``value``."""
    now = max(1.0, rows[i, WEIGHT])
    found = beyond(rows, i, tail, value)
    return math.log10((found + now) / (rows[i, tail + _TOTAL] + now))


@inlined
def log_lower(rows: RowArray, i: int, tail: int, value: float) -> float:
    """Return log10 of the probability of a value of at most ``value``."""
    now = max(1.0, rows[i, WEIGHT])
    total = rows[i, tail + _TOTAL]
    found = max(0.0, total - beyond(rows, i, tail, value)) if value > _SMALLEST else 0.0
    if not value > _SMALLEST:
        for each in range(BINS):
            found += rows[i, tail + each]
        found = max(0.0, total - found)
    return math.log10((found + now) / (total + now))


@inlined
def largest(rows: RowArray, i: int, tail: int) -> float:
    """Return a bound of all that was counted, at most twice the largest."""
    return float(math.ldexp(1.0, (int(rows[i, tail + _TOP]) - _ORIGIN) // 2 + 1))


@inlined
def _raise_top(rows: RowArray, i: int, tail: int, top: int) -> None:
    by = top - int(rows[i, tail + _TOP])
    for at in range(BINS - 1, -1, -1):
        rows[i, tail + at] = rows[i, tail + at - by] if at >= by else 0.0
    rows[i, tail + _TOP] = top


@inlined
def learn_tail(rows: RowArray, i: int, tail: int, value: float) -> None:
    """Count ``value`` with the weight of now."""
    now = max(1.0, rows[i, WEIGHT])
    rows[i, tail + _TOTAL] += now
    if not value > _SMALLEST:
        return
    half, _ = _half_octave(value)
    half += _ORIGIN
    top = int(rows[i, tail + _TOP])
    if top > 0:
        # One absurd value must not take the resolution from all others.
        half = min(half, top + _MAX_RISE)
    if half > top:
        _raise_top(rows, i, tail, half)
        top = half
    bin_ = top - half
    if bin_ < BINS:
        rows[i, tail + bin_] += now


@inlined
def grow_weight(rows: RowArray, i: int, first: int, last: int) -> None:
    """Let the next value weigh more; before weights lose their precision, scale all down.

    Args:
        rows: State.
        i: Of which series.
        first: Where its tails begin.
        last: Where they end.
    """
    weight = max(1.0, rows[i, WEIGHT]) * _GROWTH
    if weight > _MOST:
        for tail in range(first, last, BINS + 2):
            for each in range(BINS):
                rows[i, tail + each] /= weight
            rows[i, tail + _TOTAL] /= weight
        weight = 1.0
    rows[i, WEIGHT] = weight


@inlined
def size(rows: RowArray, i: int, tail: int, share: float) -> float:
    """Return a size that at most ``share`` of the values exceed: the upper edge of its bin."""
    wanted = share * rows[i, tail + _TOTAL]
    weight, top = 0.0, int(rows[i, tail + _TOP]) - _ORIGIN
    for at in range(BINS):
        weight += rows[i, tail + at]
        if weight > wanted:
            return float(2.0 ** (0.5 * (top - at + 1) - 1.0))
    return 0.0
