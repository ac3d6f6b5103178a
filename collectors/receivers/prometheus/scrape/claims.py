"""Who may write a series, where several targets, or several series of one, have the same tags.

Relabelling can take away what told series apart. Their samples must not take turns in one series:
the first to come has it, until its page no longer does. Everybody else's are refused and counted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import count

from collectors.model import Tags

_SERIAL_BITS = 40
_64_BITS = (1 << 64) - 1


def tags_key(tags: Tags) -> int:
    """Return 64 bits that stand for a tag set within this process."""
    return hash(frozenset(tags.items())) & _64_BITS


class SeriesClaims:
    """The claims of all targets of a scraper; safe to use from several threads.

    A claim is a number above 0 that stands for one series of one target.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claims: dict[int, int] = {}
        self._serials = count(1)
        self._holders = count(1)
        self._names: dict[int, str] = {}

    @property
    def count(self) -> int:
        """How many series are claimed."""
        return len(self._claims)

    def enter(self, name: str) -> int:
        """Return the number of a target; ``name`` is what others are told of it."""
        with self._lock:
            holder = next(self._holders)
            self._names[holder] = name
            return holder

    def leave(self, holder: int) -> None:
        """Forget a target that holds no claims any more."""
        with self._lock:
            self._names.pop(holder, None)

    def take(self, holder: int, keys: Iterable[int]) -> list[int]:
        """Return a claim for each key, 0 where somebody has it already."""
        taken = []
        with self._lock:
            for key in keys:
                claim = holder << _SERIAL_BITS | next(self._serials)
                taken.append(claim if self._claims.setdefault(key, claim) == claim else 0)
        return taken

    def release(self, keys: Iterable[int], claims: Iterable[int]) -> None:
        """Give claims back."""
        with self._lock:
            for key, claim in zip(keys, claims, strict=True):
                if self._claims.get(key) == claim:
                    del self._claims[key]

    def holder_name(self, key: int) -> str:
        """Return the name of the target that has a key, empty if nobody has it."""
        with self._lock:
            return self._names.get(self._claims.get(key, 0) >> _SERIAL_BITS, "")
