"""What Hystrix's dashboard reads: ``/hystrix.stream``, every command twice a second.

Field names as in ``SerialHystrixDashboardData``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo_stack.resilience.command import Command
from demo_stack.resilience.events import Event
from demo_stack.resilience.rolling import PERCENTILES, percentile

EVERY_S = 0.5
MAX_READERS = 5
NEVER_HERE = ("CollapsedRequests", "Emit", "FallbackEmit", "ResponsesFromCache")
"""What the dashboard sums up and these commands never do: they neither collapse nor cache."""


def command_document(command: Command, epoch_ms: int) -> dict[str, Any]:
    """Return one command as the dashboard reads it; thread pools are not used here."""
    now_ms, settings, past = command.now_ms, command.settings, command.statistics
    health, counts = command.breaker.health(now_ms), past.counts(now_ms)
    return {
        "type": "HystrixCommand",
        "name": command.key,
        "group": command.key,
        "currentTime": epoch_ms,
        "isCircuitBreakerOpen": command.is_open,
        "errorPercentage": health.error_percentage,
        "errorCount": health.errors,
        "requestCount": health.total,
        **{f"rollingCount{event.value}": counts[event] for event in Event},
        **{f"rollingCount{name}": 0 for name in NEVER_HERE},
        "currentConcurrentExecutionCount": command.running,
        "rollingMaxConcurrentExecutionCount": past.most_at_once(now_ms),
        **_latency("latencyExecute", past.execution(now_ms)),
        **_latency("latencyTotal", past.waiting(now_ms)),
        "propertyValue_circuitBreakerRequestVolumeThreshold": settings.request_volume_threshold,
        "propertyValue_circuitBreakerSleepWindowInMilliseconds": settings.sleep_window_ms,
        "propertyValue_circuitBreakerErrorThresholdPercentage": (
            settings.error_threshold_percentage
        ),
        "propertyValue_circuitBreakerForceOpen": settings.force_open,
        "propertyValue_circuitBreakerForceClosed": settings.force_closed,
        "propertyValue_circuitBreakerEnabled": True,
        "propertyValue_executionIsolationStrategy": "SEMAPHORE",
        "propertyValue_executionTimeoutInMilliseconds": settings.timeout_ms,
        "propertyValue_executionIsolationSemaphoreMaxConcurrentRequests": settings.max_concurrent,
        "propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests": (
            settings.fallback_max_concurrent
        ),
        "propertyValue_metricsRollingStatisticalWindowInMilliseconds": settings.window_ms,
        "reportingHosts": 1,
    }


def dashboard_route(commands: Iterable[Command], every_s: float = EVERY_S) -> Route:
    """Return ``GET /hystrix.stream``: server-sent events, one a command."""
    known, readers = tuple(commands), set[object]()

    async def stream(_request: Request) -> Response:
        if len(readers) >= MAX_READERS:
            return JSONResponse({"message": f"{MAX_READERS} read already"}, status_code=503)
        return StreamingResponse(_events(known, readers, every_s), media_type="text/event-stream")

    return Route("/hystrix.stream", stream)


async def _events(
    commands: Sequence[Command], readers: set[object], every_s: float
) -> AsyncIterator[bytes]:
    reader = object()
    readers.add(reader)
    try:
        while True:
            epoch_ms = time.time_ns() // 1_000_000
            for one in commands:
                yield b"data: " + orjson.dumps(command_document(one, epoch_ms)) + b"\n\n"
            await asyncio.sleep(every_s)
    finally:
        readers.discard(reader)


def _latency(name: str, ascending: Sequence[int]) -> dict[str, Any]:
    mean = round(sum(ascending) / len(ascending)) if ascending else 0
    return {
        f"{name}_mean": mean,
        name: {f"{percent:g}": percentile(ascending, percent) for percent in PERCENTILES},
    }
