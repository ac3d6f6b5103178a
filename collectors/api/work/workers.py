"""Threads of the API's own, and how much work may wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from collectors.api.work.running import Asked, QueryBounds, QueryState, RunningQueries, RunningQuery
from collectors.errors import CancelledError, OverloadedError, QueryError, TooCostlyError

Result = TypeVar("Result")

_GONE = "its client went away"


class Workers:
    """Runs evaluation and drawing off the event loop, each within its budget.

    They have threads of their own: however many graphs are asked for, the receivers' threads stay
    free. A query that has a thread computes when it is its turn, see :mod:`collectors.budget`.

    Args:
        bounds: What queries may take; the defaults if None.
    """

    def __init__(self, bounds: QueryBounds | None = None) -> None:
        bounds = bounds or QueryBounds()
        self.bounds = bounds
        self.queries = RunningQueries(bounds)
        self._limit = bounds.concurrency + bounds.waiting
        self._pool = ThreadPoolExecutor(bounds.concurrency, thread_name_prefix="api")
        self._lock = threading.Lock()
        self._admitted = 0

    async def run(
        self,
        work: Callable[[], Result],
        asked: Asked | None = None,
        gone: Callable[[], Awaitable[object]] | None = None,
    ) -> Result:
        """Return what ``work`` returns, having run it in a thread.

        Args:
            work: What to do.
            asked: What is told of it while it runs.
            gone: Returns when nobody waits for the answer any more; the work stops then.

        Raises:
            OverloadedError: Too much waits already.
            TooCostlyError: The work took more than it may.
            CancelledError: It was stopped.
        """
        with self._lock:
            if self._admitted >= self._limit:
                raise OverloadedError(
                    f"{self._limit} requests are at work or waiting; try again, or ask for less "
                    "at once",
                    retry_after_s=5,
                )
            self._admitted += 1
        try:
            with self.queries.listed(asked or Asked()) as query:
                future = self._pool.submit(_spend, query, work)
                return await _answered(future, query, gone)
        finally:
            with self._lock:
                self._admitted -= 1


def _spend(query: RunningQuery, work: Callable[[], Result]) -> Result:
    query.state = QueryState.RUNNING
    with query.budget.spending():
        try:
            return work()
        except (CancelledError, OverloadedError, TooCostlyError) as error:
            # Frames hold all that the query had, for as long as somebody holds the error.
            raise error.with_traceback(None) from None
        except RecursionError:
            raise QueryError("expression is nested too deeply") from None


async def _answered(
    future: Future[Result],
    query: RunningQuery,
    gone: Callable[[], Awaitable[object]] | None,
) -> Result:
    """Return the result of ``future``; stop the query when nobody waits for it any more."""
    answer = asyncio.wrap_future(future)
    watch = None if gone is None else asyncio.ensure_future(gone())
    if watch is not None:
        watch.add_done_callback(partial(_stop, query))
    try:
        return await answer
    except asyncio.CancelledError:
        query.budget.cancel(_GONE)
        raise
    finally:
        if watch is not None:
            watch.cancel()


def _stop(query: RunningQuery, watch: asyncio.Future[object]) -> None:
    if not watch.cancelled() and watch.exception() is None:
        query.budget.cancel(_GONE)
