"""What one body may still cost its receiver: parts, and seconds of CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from collectors.errors import TooLargeError
from collectors.limits import Limits

_T = TypeVar("_T")
# A look at the clock costs as much as a few parts.
_LOOK_EVERY = 64


class Budget:
    """Counts what is done for one body; made in the thread that does it.

    >>> budget = Budget(Limits(max_body_parts=2), cpu_s=lambda: 0.0)
    >>> budget.spend(2)
    >>> budget.spend()
    Traceback (most recent call last):
    ...
    collectors.errors.TooLargeError: the body has more than 2 parts; send less at once

    Args:
        limits: ``max_body_parts`` and ``max_body_cpu_s``.
        cpu_s: Seconds of CPU that this thread has had.
    """

    def __init__(self, limits: Limits, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._limits = limits
        self._left = limits.max_body_parts
        self._cpu_s = cpu_s
        self._until_s = cpu_s() + limits.max_body_cpu_s
        self._unlooked = 0

    def spend(self, parts: int = 1) -> None:
        """Note work on some parts.

        Raises:
            TooLargeError: There are too many, or they took too long.
        """
        self._left -= parts
        if self._left < 0:
            raise too_many(self._limits.max_body_parts)
        self._unlooked += 1
        if self._unlooked >= _LOOK_EVERY:
            self.look()

    def look(self) -> None:
        """Raise :class:`TooLargeError` when the seconds are used up."""
        self._unlooked = 0
        if self._cpu_s() > self._until_s:
            raise TooLargeError(
                f"the body takes more than {self._limits.max_body_cpu_s:g} s of CPU to decode; "
                "send less at once"
            )

    def watch(self, items: Iterable[_T]) -> Iterator[_T]:
        """Yield the items, looking at the clock now and then."""
        for item in items:
            self._unlooked += 1
            if self._unlooked >= _LOOK_EVERY:
                self.look()
            yield item


def too_many(allowed: int) -> TooLargeError:
    """Return the error of a body with too many parts."""
    return TooLargeError(f"the body has more than {allowed} parts; send less at once")
