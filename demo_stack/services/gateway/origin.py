"""Calling a service behind the gateway: command, concurrency limit, retry on another instance."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.errors import DependencyError
from demo_stack.resilience.commands import Commands
from demo_stack.resilience.limits import Gradient2Limit, Limiter
from demo_stack.resilience.retries import RetryBudget, may_retry
from demo_stack.services.gateway.exchange import RefusedError, StatusCategory

MAX_RETRIES = 1
INITIAL_LIMIT = 100
MIN_LIMIT = 60
"""Above what a second's pause of a busy machine piles up: that is no overload of an origin."""

MAX_LIMIT = 300

Fallback = Callable[[], Awaitable[Any]]


class Origins:
    """The services behind the gateway, each with its limit and its retry budget.

    Args:
        client: Makes the calls.
        commands: Wraps them, by key ``<service>``.
        meter: Reports how close each origin is to its limit.
    """

    def __init__(self, client: ServiceClient, commands: Commands, meter: Meter) -> None:
        self._client = client
        self._commands = commands
        self._limiters: dict[str, Limiter] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._rejected = meter.create_counter(
            "zuul.origin.rejected.requests",
            unit="{request}",
            description="Calls that an origin's concurrency limit did not allow.",
        )

        def concurrent(_options: CallbackOptions) -> list[Observation]:
            return [Observation(one.inflight, _of(name)) for name, one in self._limiters.items()]

        def limits(_options: CallbackOptions) -> list[Observation]:
            return [Observation(one.limit, _of(name)) for name, one in self._limiters.items()]

        for name, observe, what in (
            ("zuul.origin.concurrent.requests", concurrent, "Calls of an origin under way."),
            ("zuul.origin.concurrency.limit", limits, "Calls of an origin allowed at once."),
        ):
            meter.create_observable_gauge(name, [observe], unit="{request}", description=what)

    async def json(self, call: Call, fallback: Fallback | None = None) -> Any:
        """Make a call; return its JSON.

        Args:
            call: Whom to ask what.
            fallback: Answers when the call can't.

        Raises:
            ServiceError: As :meth:`demo_stack.resilience.command.Command.execute`.
        """
        return await self._commands[call.service].execute(lambda: self._limited(call), fallback)

    async def _limited(self, call: Call) -> Any:
        limiter = self._limiters.get(call.service) or self._limiter(call.service)
        inflight = limiter.acquire()
        if inflight is None:
            self._rejected.add(1, _of(call.service))
            raise RefusedError(
                f"{call.service}: {limiter.limit} calls at once are enough",
                status=503,
                category=StatusCategory.FAILURE_LOCAL_THROTTLED_ORIGIN_CONCURRENCY,
            )
        started = time.perf_counter()
        dropped = True
        try:
            answer = await self._retried(call)
            dropped = False
        finally:
            limiter.release(time.perf_counter() - started, inflight, dropped=dropped)
        return answer

    def _limiter(self, service: str) -> Limiter:
        limit = Gradient2Limit(initial=INITIAL_LIMIT, minimum=MIN_LIMIT, maximum=MAX_LIMIT)
        limiter = self._limiters[service] = Limiter(limit)
        self._rejected.add(0, _of(service))
        return limiter

    async def _retried(self, call: Call) -> Any:
        budget = self._budgets.setdefault(call.service, RetryBudget())
        budget.earn()
        for _ in range(MAX_RETRIES):
            try:
                return await self._client.json(call)
            except DependencyError as error:
                again = error.address and may_retry(call.method, error.status)
                if not again or not budget.spend():
                    raise
                call = replace(call, avoid=call.avoid | {error.address})
        return await self._client.json(call)


def _of(service: str) -> dict[str, str]:
    return {"zuul.origin": service}
