"""Step sizes: which are allowed, which one a graph gets, and where their boundaries lie."""

from __future__ import annotations

_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_MILLIS = (1, 5, 10, 50, 100, 500)
_DIVISORS_OF_60 = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
_ALLOWED = (
    *_MILLIS,
    *(n * _SECOND for n in _DIVISORS_OF_60),
    *(n * _MINUTE for n in _DIVISORS_OF_60),
    *(n * _HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
)


def round_step(primary_ms: int, step_ms: int, *, block_ms: int = _HOUR) -> int:
    """Return the smallest allowed step that is at least ``step_ms`` and ``primary_ms``.

    Args:
        primary_ms: The store's own step.
        step_ms: The step asked for.
        block_ms: Length of a block of the store; an allowed step divides it or is a multiple.

    >>> round_step(60_000, 70_000)
    120000
    """
    wanted_ms = max(primary_ms, step_ms)
    for size in _ALLOWED:
        if size >= wanted_ms and (block_ms % size == 0 or size % block_ms == 0):
            return size
    return round_to_step_boundary(wanted_ms, _DAY)


def choose_step_ms(
    primary_ms: int, width: int, start_ms: int, end_ms: int, *, block_ms: int = _HOUR
) -> int:
    """Return a step that gives each of ``width`` pixels at most one point.

    >>> choose_step_ms(60_000, 700, 0, 24 * 3_600_000)
    180000
    """
    points = max(0, end_ms - start_ms) // primary_ms
    per_pixel = -(-points // max(1, width))
    return round_step(primary_ms, per_pixel * primary_ms, block_ms=block_ms)


def whole_step(primary_ms: int, step_ms: int) -> int:
    """Return the smallest allowed step from ``step_ms`` on that the store's own step divides.

    >>> whole_step(10_000, 12_000)
    20000
    """
    if step_ms % primary_ms == 0:
        return step_ms
    fitting = (size for size in _ALLOWED if size >= step_ms and size % primary_ms == 0)
    return next(fitting, round_to_step_boundary(step_ms, primary_ms))


def round_to_step_boundary(time_ms: int, step_ms: int) -> int:
    """Return the first multiple of ``step_ms`` at or after ``time_ms``."""
    return -(-time_ms // step_ms) * step_ms


def first_primary_step_timestamp(time_ms: int, step_ms: int, multiple: int) -> int:
    """Return the first of the ``multiple`` primary steps that make up the step ending at a time."""
    return time_ms - step_ms + step_ms // multiple
