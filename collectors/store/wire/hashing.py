"""A seeded 128-bit hash of bytes, for label sets on the wire.

Two independent multiply-and-fold chains over 8-byte words. The seed is drawn when a process
starts, so a sender can't prepare label sets that collide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collectors.kernel import inlined

_PRIME_A = np.uint64(0x9E3779B97F4A7C15)
_PRIME_B = np.uint64(0xC2B2AE3D27D4EB4F)
_FOLD_A = np.uint64(32)
_FOLD_B = np.uint64(29)
_EIGHT = np.uint64(8)


@inlined
def word_at(data: NDArray[np.uint8], at: int) -> np.uint64:
    """Return the 8 bytes at ``at`` as a little-endian number.

    Unsigned offsets spare the test for negative indices; the compiler then reads one word.
    """
    o = np.uint64(at)
    return (
        np.uint64(data[o])
        | np.uint64(data[o + np.uint64(1)]) << np.uint64(8)
        | np.uint64(data[o + np.uint64(2)]) << np.uint64(16)
        | np.uint64(data[o + np.uint64(3)]) << np.uint64(24)
        | np.uint64(data[o + np.uint64(4)]) << np.uint64(32)
        | np.uint64(data[o + np.uint64(5)]) << np.uint64(40)
        | np.uint64(data[o + np.uint64(6)]) << np.uint64(48)
        | np.uint64(data[o + np.uint64(7)]) << np.uint64(56)
    )


@inlined
def hash_range(
    data: NDArray[np.uint8], start: int, end: int, seed: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return two 64-bit hashes of ``data[start:end]``; the first is never 0."""
    a = seed ^ np.uint64(end - start)
    b = seed * _PRIME_B
    at = start
    while at + 8 <= end:
        word = word_at(data, at)
        a = (a ^ word) * _PRIME_A
        a ^= a >> _FOLD_A
        b = (b + word) * _PRIME_B
        b ^= b >> _FOLD_B
        at += 8
    tail = np.uint64(0)
    while at < end:
        tail = tail << _EIGHT | np.uint64(data[np.uint64(at)])
        at += 1
    a = (a ^ tail) * _PRIME_A
    a ^= a >> _FOLD_A
    b = (b + tail) * _PRIME_B
    b ^= b >> _FOLD_B
    return a | np.uint64(1), b


@inlined
def mixed_in(
    a: np.uint64, b: np.uint64, word_a: np.uint64, word_b: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Return the two chains after one more word each."""
    a = (a ^ word_a) * _PRIME_A
    a ^= a >> _FOLD_A
    b = (b + word_b) * _PRIME_B
    b ^= b >> _FOLD_B
    return a, b
