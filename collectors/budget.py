"""What one query may take: time, memory, and whether anybody still waits for its answer.

A query is stopped by itself: whatever works for it looks at its budget every few milliseconds, and
says what it is about to take before it takes it. The budget is that of the thread's context, as a
cancel scope is, so that a kernel's caller deep in the store needs no argument from the socket. Code
that runs without one, such as rules, is bounded by nothing here and waits for nobody.

::

    with budget.spending():          the thread waits for its turn
        ...
        spend(lines * steps * 8, "lines")     refused before it is allocated
        for part in parts:
            look()                   out of time, cancelled? another's turn?
            ...
                with elsewhere():        a database works; the turn is another's meanwhile
                ...
        answered(len(text))          what will be sent has a bound of its own

Turns bound how many queries compute at the same moment: threads that compute hold the interpreter's
lock by turns of a millisecond, and whoever receives samples waits for as many of these as there are
threads. Ten queries at once take ten times as long; a small one among them is soon done.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collectors.errors import CancelledError, OverloadedError, TooCostlyError

MAX_ANSWER_BYTES = 64 << 20
"""What one answer may consist of: texts as they are made, before they are put together."""

TURN_S = 0.02
"""How long a query computes before it is another's turn, where one waits."""

_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


class Turns:
    """Lets a number of threads compute at a time, in the order in which they came.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Semaphore] = deque()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def take(self) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            gate = threading.Semaphore(0)
            self._waiting.append(gate)
        gate.acquire()  # released by whoever gives this thread its turn

    def give(self) -> None:
        """Let the next have it."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Memory:
    """Memory that all queries share.

    Args:
        total_bytes: What they may take together.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total_bytes = total_bytes
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken_bytes(self) -> int:
        """What is taken now."""
        return self._taken

    def take(self, count: int) -> bool:
        """Take ``count`` bytes; return whether there were as many."""
        with self._lock:
            if self._taken + count > self.total_bytes:
                return False
            self._taken += count
            return True

    def give(self, count: int) -> None:
        """Give bytes back."""
        with self._lock:
            self._taken -= count


class Budget:
    """What one query may take. Time runs from the moment that it is made.

    Args:
        timeout_s: How long the query may take, waiting included.
        memory: What all queries share; one of them may take half of it.
        turns: Who computes when.
        now_s: A clock that never goes back.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        memory: Memory,
        turns: Turns,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout_s = timeout_s
        self.limit_bytes = memory.total_bytes // 2
        self.taken_bytes = 0
        self.computing = False
        self._memory = memory
        self._turns = turns
        self._now_s = now_s
        self._started_s = self._turn_s = now_s()
        self._cancelled = ""
        self._held: dict[int, weakref.ref[NDArray[Any]]] = {}
        self._answered_bytes = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return self._now_s() - self._started_s

    def cancel(self, reason: str) -> None:
        """Have the query stop at its next look; any thread may call this."""
        self._cancelled = self._cancelled or reason

    def look(self) -> None:
        """Go on, let another compute first, or stop.

        Raises:
            CancelledError: Somebody cancelled the query.
            TooCostlyError: It is out of time.
        """
        if self._cancelled:
            raise CancelledError(f"the query was cancelled: {self._cancelled}")
        now_s = self._now_s()
        if now_s - self._started_s > self.timeout_s:
            raise TooCostlyError(
                f"the query took longer than {self.timeout_s:g} s (query_timeout); ask for a "
                "shorter range, fewer series or a simpler pattern"
            )
        if self.computing and now_s - self._turn_s > TURN_S and self._turns.wanted:
            self._turns.give()
            self._turns.take()
            self._turn_s = self._now_s()

    def spend(self, count: int, what: str) -> None:
        """Count ``count`` bytes of ``what``, before they are allocated; they count to the end.

        Raises:
            TooCostlyError: The query would have more than it may.
            OverloadedError: All queries together would.
        """
        self.look()
        if self.taken_bytes + count > self.limit_bytes:
            raise TooCostlyError(
                f"the query needs {self.taken_bytes + count:,} bytes, {count:,} of them for "
                f"{what}; one may take {self.limit_bytes:,} (half of query_memory): narrow it, "
                "group by fewer keys, or ask for a larger step or a shorter range"
            )
        if not self._memory.take(count):
            raise OverloadedError(
                f"{self._memory.taken_bytes:,} of {self._memory.total_bytes:,} bytes that all "
                f"queries may take (query_memory) are taken, {count:,} more are needed for {what}; "
                "try again",
                retry_after_s=5,
            )
        self.taken_bytes += count

    def release(self, count: int) -> None:
        """Give back some of what was spent."""
        self.taken_bytes -= count
        self._memory.give(count)

    def hold(self, array: NDArray[Any], what: str) -> None:
        """Count an array as long as it is there; once, whoever sees it and in whatever shape.

        Raises:
            As :meth:`spend`.
        """
        while isinstance(array.base, np.ndarray):
            array = array.base
        key, size = id(array), array.nbytes
        if key in self._held:
            self.look()
            return
        self.spend(size, what)

        def gone(_: object) -> None:
            if self._held.pop(key, None) is not None:
                self.release(size)

        self._held[key] = weakref.ref(array, gone)

    def answered(self, count: int) -> None:
        """Count what will be sent.

        Raises:
            TooCostlyError: The answer is too large.
        """
        self._answered_bytes += count
        if self._answered_bytes > MAX_ANSWER_BYTES:
            raise TooCostlyError(
                f"the answer has more than {MAX_ANSWER_BYTES >> 20} MiB of text; ask for fewer "
                "lines or shorter legends"
            )
        self.spend(count, "the answer")

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Be the budget of this thread, and wait for a turn; at the end all is given back."""
        token = _current.set(self)
        self._begin_turn()
        try:
            self.look()
            yield
        finally:
            self._end_turn()
            _current.reset(token)
            self._held.clear()
            self.release(self.taken_bytes)

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Leave the turn to others while this thread waits for what is computed elsewhere."""
        self._end_turn()
        try:
            yield
        finally:
            self._begin_turn()

    def _begin_turn(self) -> None:
        self._turns.take()
        self._turn_s = self._now_s()
        self.computing = True

    def _end_turn(self) -> None:
        self.computing = False
        self._turns.give()


def look() -> None:
    """Have this thread's query go on, wait or stop; see :meth:`Budget.look`."""
    budget = _current.get()
    if budget is not None:
        budget.look()


def elapsed_s() -> float:
    """Return for how long this thread's query has been there, 0 without a budget."""
    budget = _current.get()
    return 0.0 if budget is None else budget.elapsed_s


def spend(count: int, what: str) -> None:
    """Count bytes for this thread's query; see :meth:`Budget.spend`."""
    budget = _current.get()
    if budget is not None:
        budget.spend(count, what)


def hold(array: NDArray[Any], what: str) -> None:
    """Count an array for this thread's query; see :meth:`Budget.hold`."""
    budget = _current.get()
    if budget is not None:
        budget.hold(array, what)


def answered(count: int) -> None:
    """Count text that this thread's query will send; see :meth:`Budget.answered`."""
    budget = _current.get()
    if budget is not None:
        budget.answered(count)


@contextmanager
def reserved(count: int, what: str) -> Iterator[None]:
    """Count bytes for this thread's query that are needed for a while; see :meth:`Budget.spend`."""
    budget = _current.get()
    if budget is None:
        yield
        return
    budget.spend(count, what)
    try:
        yield
    finally:
        budget.release(count)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Work without this thread's budget: what is begun under a lock is finished, in one turn.

    Who gave the turn away under a lock would wait for somebody who waits for that lock.
    """
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def elsewhere() -> Iterator[None]:
    """Let other queries compute while this thread waits; see :meth:`Budget.elsewhere`."""
    budget = _current.get()
    if budget is None:
        yield
    else:
        with budget.elsewhere():
            yield
