"""The last good answer to each question, shared by all viewers of one dashboard process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from tocsin.client.errors import AnswerError, ClientError, UnreachableError

T = TypeVar("T")

_MAX_KEPT = 512
_FIRST_SERVER_ERROR = 500


def system_now_ms() -> int:
    """Return the time now, epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[T]):
    """What a question gave: a value, its age, and what went wrong if it isn't fresh.

    Attributes:
        value: The newest good answer, None when there never was one.
        read_ms: When that answer came, epoch milliseconds.
        error: Why the newest attempt failed, None when ``value`` is fresh.
    """

    value: T | None
    read_ms: int | None
    error: ClientError | None


@dataclass(slots=True)
class _Entry:
    lock: Lock
    reading: Reading[Any] | None = None
    tried_ms: int = 0


class Feed:
    """Asks at most once per ``max_age_ms`` and question, however many people watch.

    After nobody answered, no question is asked for ``pause_ms``: a page with ten panels must wait
    for one timeout, not ten.

    Args:
        now_ms: The present, epoch milliseconds.
        max_age_ms: How long an answer counts as new.
        pause_ms: How long to leave an unreachable server alone.
    """

    def __init__(
        self,
        *,
        now_ms: Callable[[], int] = system_now_ms,
        max_age_ms: int = 1_000,
        pause_ms: int = 2_000,
    ) -> None:
        self._now_ms = now_ms
        self._max_age_ms = max_age_ms
        self._pause_ms = pause_ms
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()
        self._down: tuple[int, UnreachableError] | None = None

    def read(
        self, key: str, fetch: Callable[[], T], *, max_age_ms: int | None = None
    ) -> Reading[T]:
        """Return the answer to the question ``key``, asking with ``fetch`` when it is due.

        ``max_age_ms`` is for questions whose answers change slowly.
        """
        return self.follow(key, lambda _: fetch(), max_age_ms=max_age_ms)

    def follow(
        self, key: str, fetch: Callable[[T | None], T], *, max_age_ms: int | None = None
    ) -> Reading[T]:
        """Do the same with a ``fetch`` that is given the last good answer, None if there is none.

        It may return that one itself: for questions whose answer is often what it was.
        """
        entry = self._entry(key)
        due_ms = self._max_age_ms if max_age_ms is None else max_age_ms
        with entry.lock:
            if entry.reading is None or self._now_ms() - entry.tried_ms >= due_ms:
                entry.reading = self._ask(entry.reading, fetch)
                entry.tried_ms = self._now_ms()
            return entry.reading

    def forget(self) -> None:
        """Drop ages and pauses, so that the next read asks at once; last good answers stay."""
        with self._lock:
            self._down = None
            for entry in self._entries.values():
                entry.tried_ms = 0

    def _entry(self, key: str) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry(Lock()))
            self._entries.move_to_end(key)
            while len(self._entries) > _MAX_KEPT:
                self._entries.popitem(last=False)
            return entry

    def _ask(self, before: Reading[T] | None, fetch: Callable[[T | None], T]) -> Reading[T]:
        down = self._down
        if down is not None and self._now_ms() - down[0] < self._pause_ms:
            return _failed(before, down[1])
        try:
            value = fetch(before.value if before else None)
        except UnreachableError as error:
            self._down = (self._now_ms(), error)
            return _failed(before, error)
        except ClientError as error:
            return _failed(before, error)
        self._down = None
        return Reading(value=value, read_ms=self._now_ms(), error=None)


def _failed(before: Reading[T] | None, error: ClientError) -> Reading[T]:
    # A refusal (4xx) is an answer about this question: what was known before no longer holds.
    refused = isinstance(error, AnswerError) and error.status < _FIRST_SERVER_ERROR
    if before is None or refused:
        return Reading(value=None, read_ms=None, error=error)
    return Reading(value=before.value, read_ms=before.read_ms, error=error)
