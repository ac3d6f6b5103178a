"""A call wrapped as a Hystrix command: circuit, bulkhead, timeout, fallback, in that order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from demo_stack.platform.errors import ServiceError
from demo_stack.resilience.breaker import CircuitBreaker
from demo_stack.resilience.events import CommandSettings, Event

T = TypeVar("T")


class CommandRejectedError(ServiceError):
    """The call was not made, or not waited for.

    Args:
        command: Which.
        event: Why.
    """

    def __init__(self, command: str, event: Event) -> None:
        status = 504 if event is Event.TIMEOUT else 503
        super().__init__(f"{command}: {event.value}", status=status, error_type=event.value)
        self.event = event


def _say_nothing(_command: Command, _event: Event) -> None:
    """Report to nobody."""


class Command:
    """One kind of call and its circuit.

    Args:
        key: Name, such as ``recommendations.row``.
        settings: Thresholds.
        now_ms: The present, monotonic, in milliseconds.
        report: Told of every event.
    """

    def __init__(
        self,
        key: str,
        settings: CommandSettings,
        now_ms: Callable[[], int],
        report: Callable[[Command, Event], None] = _say_nothing,
    ) -> None:
        self.key = key
        self.events: Counter[Event] = Counter()
        self.running = 0
        self._settings = settings
        self._now_ms = now_ms
        self._report = report
        self._fallbacks = 0
        self.breaker = CircuitBreaker(settings, now_ms())

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open now."""
        return self.breaker.is_open(self._now_ms())

    async def execute(
        self,
        run: Callable[[], Awaitable[T]],
        fallback: Callable[[], Awaitable[T]] | None = None,
    ) -> T:
        """Run, or fall back.

        Raises:
            ServiceError: The run's own error when there is no fallback; a bad request always.
            CommandRejectedError: Open circuit, full bulkhead or time over, and no fallback.
        """
        try:
            return await self._attempt(run)
        except ServiceError as error:
            if _is_bad_request(error):
                raise
            return await self._fall_back(error, fallback)

    async def _attempt(self, run: Callable[[], Awaitable[T]]) -> T:
        if not self.breaker.attempt(self._now_ms()):
            self._count(Event.SHORT_CIRCUITED)
            raise CommandRejectedError(self.key, Event.SHORT_CIRCUITED)
        if self.running >= self._settings.max_concurrent:
            self._fail(Event.SEMAPHORE_REJECTED)
            raise CommandRejectedError(self.key, Event.SEMAPHORE_REJECTED)
        self.running += 1
        try:
            return await self._run(run)
        finally:
            self.running -= 1

    async def _run(self, run: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._settings.timeout_ms / 1000):
                result = await run()
        except TimeoutError:
            self._fail(Event.TIMEOUT)
            raise CommandRejectedError(self.key, Event.TIMEOUT) from None
        except ServiceError as error:
            self._fail(Event.BAD_REQUEST if _is_bad_request(error) else Event.FAILURE)
            raise
        except asyncio.CancelledError:
            # Nobody waits any more: no verdict on the dependency, but a probe must not hang.
            self.breaker.mark_non_success(self._now_ms())
            raise
        self._count(Event.SUCCESS)
        self.breaker.mark_success(self._now_ms())
        return result

    async def _fall_back(
        self, error: ServiceError, fallback: Callable[[], Awaitable[T]] | None
    ) -> T:
        if fallback is None:
            self._count(Event.FALLBACK_MISSING)
            self._count(Event.EXCEPTION_THROWN)
            raise error
        if self._fallbacks >= self._settings.fallback_max_concurrent:
            self._count(Event.FALLBACK_REJECTION)
            raise error
        self._fallbacks += 1
        try:
            result = await fallback()
        except ServiceError:
            self._count(Event.FALLBACK_FAILURE)
            self._count(Event.EXCEPTION_THROWN)
            raise error from None
        finally:
            self._fallbacks -= 1
        self._count(Event.FALLBACK_SUCCESS)
        return result

    def _count(self, event: Event) -> None:
        self.events[event] += 1
        self.breaker.record(event, self._now_ms())
        self._report(self, event)

    def _fail(self, event: Event) -> None:
        self._count(event)
        self.breaker.mark_non_success(self._now_ms())


def _is_bad_request(error: ServiceError) -> bool:
    """Whether the caller is to blame: no fallback, and no mark against the dependency."""
    return 400 <= error.status < 500 and error.status != 429
