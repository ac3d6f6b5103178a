"""``java.util.Random``, whose sequence the demo data set is made of."""

from __future__ import annotations

import math

_MULTIPLIER = 0x5DEECE66D
_ADDEND = 0xB
_MASK = (1 << 48) - 1


class JavaRandom:
    """The 48-bit linear congruential generator of the Java platform's specification."""

    def __init__(self, seed: int) -> None:
        self._seed = (seed ^ _MULTIPLIER) & _MASK
        self._next_gaussian: float | None = None

    def _next(self, bits: int) -> int:
        self._seed = (self._seed * _MULTIPLIER + _ADDEND) & _MASK
        return self._seed >> (48 - bits)

    def next_double(self) -> float:
        """Return a number from 0 up to 1."""
        return ((self._next(26) << 27) + self._next(27)) / (1 << 53)

    def next_boolean(self) -> bool:
        """Return true or false."""
        return self._next(1) != 0

    def next_gaussian(self) -> float:
        """Return a normally distributed number."""
        if self._next_gaussian is not None:
            value, self._next_gaussian = self._next_gaussian, None
            return value
        while True:
            left, right = 2 * self.next_double() - 1, 2 * self.next_double() - 1
            square = left * left + right * right
            if 0 < square < 1:
                factor = math.sqrt(-2 * math.log(square) / square)
                self._next_gaussian = right * factor
                return left * factor


def string_hash(text: str) -> int:
    """Return ``String.hashCode``."""
    value = 0
    for char in text:
        value = (31 * value + ord(char)) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
