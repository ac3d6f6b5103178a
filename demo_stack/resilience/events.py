"""What can happen to a command: the event types of Hystrix, and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Event(StrEnum):
    """Something that happened to an execution; values end Hystrix's metric names (``countX``)."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    TIMEOUT = "Timeout"
    BAD_REQUEST = "BadRequests"
    SHORT_CIRCUITED = "ShortCircuited"
    SEMAPHORE_REJECTED = "SemaphoreRejected"
    THREAD_POOL_REJECTED = "ThreadPoolRejected"
    FALLBACK_SUCCESS = "FallbackSuccess"
    FALLBACK_FAILURE = "FallbackFailure"
    FALLBACK_REJECTION = "FallbackRejection"
    FALLBACK_MISSING = "FallbackMissing"
    EXCEPTION_THROWN = "ExceptionsThrown"


HEALTH_EVENTS = frozenset(
    {
        Event.SUCCESS,
        Event.FAILURE,
        Event.TIMEOUT,
        Event.SEMAPHORE_REJECTED,
        Event.THREAD_POOL_REJECTED,
    }
)
"""What counts for the error percentage. Bad requests, short circuits and fallbacks do not."""


EXCEPTION_PRODUCING = frozenset(
    {
        Event.BAD_REQUEST,
        Event.FALLBACK_FAILURE,
        Event.FALLBACK_MISSING,
        Event.FALLBACK_REJECTION,
    }
)
"""What ends with an exception at the caller (``EXCEPTION_PRODUCING_EVENT_TYPES``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """Defaults as in ``HystrixCommandProperties``.

    Attributes:
        window_ms: Length of the rolling window.
        snapshot_ms: Health is looked at this often; also the length of a bucket.
        request_volume_threshold: Fewer requests in the window never open the circuit.
        error_threshold_percentage: At or above, the circuit opens.
        sleep_window_ms: An open circuit lets one probe through after more than this.
        timeout_ms: An execution is given up after this.
        max_concurrent: Executions at once; more are rejected.
        fallback_max_concurrent: Fallbacks at once; more are rejected.
        force_open: The circuit is open whatever happens; beats ``force_closed``.
        force_closed: The circuit is closed whatever happens.
    """

    window_ms: int = 10_000
    snapshot_ms: int = 500
    request_volume_threshold: int = 20
    error_threshold_percentage: int = 50
    sleep_window_ms: int = 5_000
    timeout_ms: int = 1_000
    max_concurrent: int = 10
    fallback_max_concurrent: int = 10
    force_open: bool = False
    force_closed: bool = False
