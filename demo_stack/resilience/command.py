"""A call wrapped as a Hystrix command: circuit, bulkhead, timeout, fallback, in that order."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

from demo_stack.chassis.errors import ServiceError
from demo_stack.resilience.breaker import CircuitBreaker
from demo_stack.resilience.events import EXCEPTION_PRODUCING, CommandSettings, Event
from demo_stack.resilience.rolling import CommandStatistics

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
        self.settings = settings
        self._now_ms = now_ms
        self._report = report
        self._fallbacks = 0
        self.breaker = CircuitBreaker(settings, now_ms())
        self.statistics = CommandStatistics(now_ms())

    @property
    def now_ms(self) -> int:
        """The present, monotonic, in milliseconds."""
        return self._now_ms()

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
            Exception: Whatever else the run raised, when there is no fallback.
        """
        asked_ms = self._now_ms()
        try:
            return await self._attempt(run)
        except Exception as error:
            if _is_bad_request(error):
                raise
            if fallback is None:
                self._count(Event.FALLBACK_MISSING)
                raise
            return await self._fall_back(error, fallback)
        finally:
            now_ms = self._now_ms()
            self.statistics.answered(now_ms - asked_ms, now_ms)

    async def _attempt(self, run: Callable[[], Awaitable[T]]) -> T:
        if not self.breaker.attempt(self._now_ms()):
            self._count(Event.SHORT_CIRCUITED)
            raise CommandRejectedError(self.key, Event.SHORT_CIRCUITED)
        if self.running >= self.settings.max_concurrent:
            self._fail(Event.SEMAPHORE_REJECTED)
            raise CommandRejectedError(self.key, Event.SEMAPHORE_REJECTED)
        self.running += 1
        began_ms = self._now_ms()
        self.statistics.began(self.running, began_ms)
        try:
            return await self._run(run)
        finally:
            self.running -= 1
            self.statistics.ran(self._now_ms() - began_ms, self._now_ms())

    async def _run(self, run: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self.settings.timeout_ms / 1000):
                result = await run()
        except TimeoutError:
            self._fail(Event.TIMEOUT)
            raise CommandRejectedError(self.key, Event.TIMEOUT) from None
        except Exception as error:
            # Also what nobody expected, or a probe that ends so would leave the circuit half open.
            self._fail(Event.BAD_REQUEST if _is_bad_request(error) else Event.FAILURE)
            raise
        except asyncio.CancelledError:
            # Nobody waits any more: no verdict on the dependency, but a probe must not hang.
            self.breaker.mark_non_success(self._now_ms())
            raise
        self._count(Event.SUCCESS)
        self.breaker.mark_success(self._now_ms())
        return result

    async def _fall_back(self, error: Exception, fallback: Callable[[], Awaitable[T]]) -> T:
        if self._fallbacks >= self.settings.fallback_max_concurrent:
            self._count(Event.FALLBACK_REJECTION)
            raise error
        self._fallbacks += 1
        try:
            result = await fallback()
        except Exception:  # noqa: BLE001 - a fallback that fails in any way is one failure more
            self._count(Event.FALLBACK_FAILURE)
            raise error from None
        finally:
            self._fallbacks -= 1
        self._count(Event.FALLBACK_SUCCESS)
        return result

    def _count(self, event: Event) -> None:
        self.events[event] += 1
        now_ms = self._now_ms()
        self.breaker.record(event, now_ms)
        self.statistics.happened(event, now_ms)
        self._report(self, event)
        if event in EXCEPTION_PRODUCING:
            self._count(Event.EXCEPTION_THROWN)

    def _fail(self, event: Event) -> None:
        self._count(event)
        self.breaker.mark_non_success(self._now_ms())


def _is_bad_request(error: Exception) -> bool:
    """Whether the caller is to blame: no fallback, and no mark against the dependency."""
    return isinstance(error, ServiceError) and 400 <= error.status < 500 and error.status != 429
