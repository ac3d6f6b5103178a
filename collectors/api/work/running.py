"""The queries that are at work or wait: who asks what, since when, and what each has taken."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from collectors.budget import Budget, Memory, Turns
from collectors.errors import NotFoundError

MAX_TEXT = 2_000
MAX_WAITING = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryBounds:
    """What strangers' queries may take; see the settings of the same names.

    Attributes:
        timeout_s: How long one may take, waiting included.
        memory_bytes: What all may hold together; one of them may hold half.
        concurrency: How many are at work at the same time; more wait.
        waiting: How many may wait; more are sent away.
        processors: How many compute at the same moment.
    """

    timeout_s: float = 30.0
    memory_bytes: int = 2 << 30
    concurrency: int = 32
    waiting: int = MAX_WAITING
    processors: int = 1


class QueryState(StrEnum):
    """What a query does."""

    WAITING = "waiting"
    RUNNING = "running"


@dataclass(slots=True, kw_only=True)
class RunningQuery:
    """One query.

    Attributes:
        number: By which it can be cancelled.
        path: Of the request.
        text: Its query string, cut.
        client: Address of who asks, empty when it is not known.
        budget: What it may take and has taken.
        state: What it does.
    """

    number: int
    path: str
    text: str
    client: str
    budget: Budget
    state: QueryState = QueryState.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is told of a query: the request's path, its query string, who asks.

    It may want to be stopped sooner than others, after ``timeout_s``; 0 says nothing.
    """

    path: str = ""
    text: str = ""
    client: str = ""
    timeout_s: float = 0.0


class RunningQueries:
    """All queries that are at work or wait; safe for many threads.

    Args:
        bounds: What they may take.
    """

    def __init__(self, bounds: QueryBounds) -> None:
        self._bounds = bounds
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._queries: dict[int, RunningQuery] = {}
        self._memory = Memory(bounds.memory_bytes)
        self._turns = Turns(bounds.processors)

    @contextmanager
    def listed(self, asked: Asked) -> Iterator[RunningQuery]:
        """List a query from its arrival until it is answered."""
        timeout_s = min(self._bounds.timeout_s, asked.timeout_s or self._bounds.timeout_s)
        budget = Budget(timeout_s=timeout_s, memory=self._memory, turns=self._turns)
        with self._lock:
            query = RunningQuery(
                number=next(self._numbers),
                path=asked.path,
                text=asked.text[:MAX_TEXT],
                client=asked.client,
                budget=budget,
            )
            self._queries[query.number] = query
        try:
            yield query
        finally:
            with self._lock:
                del self._queries[query.number]

    def all(self) -> list[RunningQuery]:
        """Return the queries, the oldest first."""
        with self._lock:
            return list(self._queries.values())

    def cancel(self, number: int) -> RunningQuery:
        """Have a query stop; it answers so within moments.

        Raises:
            NotFoundError: There is none of this number.
        """
        with self._lock:
            query = self._queries.get(number)
        if query is None:
            raise NotFoundError(f"no query {number} is running; it may have been answered")
        query.budget.cancel("an operator stopped it")
        return query
