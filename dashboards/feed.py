"""The last good answer to each question, shared by all viewers of one dashboard process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from dashboards.asking.runs import Page, Runs, watched
from tocsin.client.errors import AnswerError, ClientError, UnreachableError

T = TypeVar("T")

_MAX_KEPT = 512
# What is due in a moment is asked with what is due now.
_SOON_MS = 250
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


class Asking(Protocol):
    """Something that asks many questions in one request, ahead of those who want the answers."""

    def noting(self) -> AbstractContextManager[list[str]]:
        """Return a list to which each address is added that this thread asks for meanwhile."""
        ...

    def has(self, urls: Sequence[str]) -> bool:
        """Return whether the answers to all of some addresses are here."""
        ...

    def ahead(self, urls: Sequence[str]) -> None:
        """Ask for what is not here."""
        ...

    def forget(self) -> None:
        """Drop what is here."""
        ...


class OneByOne:
    """Asks nothing ahead."""

    def noting(self) -> AbstractContextManager[list[str]]:
        """Return a list that stays empty."""
        return nullcontext([])

    def has(self, urls: Sequence[str]) -> bool:
        """Return that nothing is here."""
        del urls
        return False

    def ahead(self, urls: Sequence[str]) -> None:
        """Do nothing."""

    def forget(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class _Entry:
    lock: Lock
    reading: Reading[Any] | None = None
    tried_ms: int = 0
    due_ms: int = 0
    urls: tuple[str, ...] = ()


class Feed:
    """Asks at most once per ``max_age_ms`` and question, however many people watch.

    What a page will read next, by what it has read at its last ticks, is asked in one request.

    After nobody answered, no question is asked for ``pause_ms``: a page with ten panels must wait
    for one timeout, not ten.

    Args:
        now_ms: The present, epoch milliseconds.
        max_age_ms: How long an answer counts as new.
        pause_ms: How long to leave an unreachable server alone.
        together: What asks many questions at once.
        page: Returns the page that is drawn, None if none is.
    """

    def __init__(
        self,
        *,
        now_ms: Callable[[], int] = system_now_ms,
        max_age_ms: int = 1_000,
        pause_ms: int = 2_000,
        together: Asking | None = None,
        page: Callable[[], Page | None] = watched,
    ) -> None:
        self._together = together or OneByOne()
        self._page = page
        self._runs = Runs()
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
        entry, page = self._entry(key), self._page()
        entry.due_ms = self._max_age_ms if max_age_ms is None else max_age_ms
        if page is not None:
            self._runs.note(page, key, self._now_ms())
        with entry.lock:
            if entry.reading is None or self._is_due(entry):
                entry.reading = self._ask(entry, fetch, page)
                entry.tried_ms = self._now_ms()
            return entry.reading

    def expect(self, urls: Mapping[str, str]) -> None:
        """Ask for what is read in a moment and was not read before, in one request.

        Args:
            urls: Address of the answer to each question, by its key.
        """
        with self._lock:
            known = {key: self._entries.get(key) for key in urls}
        if self._is_away() is None:
            wanted = [urls[key] for key, entry in known.items() if not entry or self._soon(entry)]
            try:
                self._together.ahead(wanted)
            except UnreachableError as error:
                self._down = (self._now_ms(), error)

    def forget(self) -> None:
        """Drop ages and pauses, so that the next read asks at once; last good answers stay."""
        with self._lock:
            self._down = None
            for entry in self._entries.values():
                entry.tried_ms = 0
        self._together.forget()

    def _is_due(self, entry: _Entry) -> bool:
        if self._now_ms() - entry.tried_ms >= entry.due_ms:
            return True
        # It has come with the others already.
        return self._soon(entry) and self._together.has(entry.urls)

    def _soon(self, entry: _Entry) -> bool:
        return self._now_ms() - entry.tried_ms >= entry.due_ms - min(_SOON_MS, entry.due_ms // 4)

    def _is_away(self) -> UnreachableError | None:
        """Return why nobody is asked just now, None if somebody is."""
        down = self._down
        away = down is not None and self._now_ms() - down[0] < self._pause_ms
        return down[1] if down is not None and away else None

    def _look_ahead(self, entry: _Entry, page: Page | None) -> None:
        keys = self._runs.expected(page) if page is not None else []
        with self._lock:
            found = [self._entries[key] for key in keys if key in self._entries]
        due = [entry, *(one for one in found if self._soon(one))]
        self._together.ahead([url for one in due for url in one.urls])

    def _entry(self, key: str) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(key, _Entry(Lock()))
            self._entries.move_to_end(key)
            while len(self._entries) > _MAX_KEPT:
                self._entries.popitem(last=False)
            return entry

    def _ask(self, entry: _Entry, fetch: Callable[[T | None], T], page: Page | None) -> Reading[T]:
        before: Reading[T] | None = entry.reading
        away = self._is_away()
        if away is not None:
            return _failed(before, away)
        try:
            self._look_ahead(entry, page)
            with self._together.noting() as urls:
                value = fetch(before.value if before else None)
            entry.urls = tuple(urls)
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
