"""One request on its way through the gateway, and why it ended as it did."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from demo_stack.chassis.bodies import BodyError, read_object
from demo_stack.chassis.errors import DependencyError, ServiceError
from demo_stack.resilience.command import CommandRejectedError
from demo_stack.resilience.events import Event
from demo_stack.resilience.shedding import Priority

NO_ROUTE = "/{path:path}"
"""The path of whatever there is no endpoint for."""


class StatusCategory(StrEnum):
    """Why a request ended as it did, beyond its HTTP status (Zuul's ``ZuulStatusCategory``)."""

    SUCCESS = "SUCCESS"
    SUCCESS_NOT_FOUND = "SUCCESS_NOT_FOUND"
    SUCCESS_LOCAL_NO_ROUTE = "SUCCESS_LOCAL_NO_ROUTE"
    FAILURE_LOCAL = "FAILURE_LOCAL"
    FAILURE_LOCAL_SHED = "FAILURE_LOCAL_SHED"
    FAILURE_LOCAL_RATE_LIMITED = "FAILURE_LOCAL_RATE_LIMITED"
    FAILURE_LOCAL_BALANCER_CAPACITY = "FAILURE_LOCAL_BALANCER_CAPACITY"
    FAILURE_LOCAL_SHORT_CIRCUITED = "FAILURE_LOCAL_SHORT_CIRCUITED"
    FAILURE_LOCAL_THROTTLED_ORIGIN_CONCURRENCY = "FAILURE_LOCAL_THROTTLED_ORIGIN_CONCURRENCY"
    FAILURE_CLIENT_BAD_REQUEST = "FAILURE_CLIENT_BAD_REQUEST"
    FAILURE_CLIENT_CANCELLED = "FAILURE_CLIENT_CANCELLED"
    FAILURE_CLIENT_UNAUTHORISED = "FAILURE_CLIENT_UNAUTHORISED"
    FAILURE_ORIGIN = "FAILURE_ORIGIN"
    FAILURE_ORIGIN_THROTTLED = "FAILURE_ORIGIN_THROTTLED"
    FAILURE_ORIGIN_READ_TIMEOUT = "FAILURE_ORIGIN_READ_TIMEOUT"
    FAILURE_ORIGIN_CONNECTIVITY = "FAILURE_ORIGIN_CONNECTIVITY"
    FAILURE_ORIGIN_NO_SERVERS = "FAILURE_ORIGIN_NO_SERVERS"


class RefusedError(ServiceError):
    """The gateway itself refuses a request.

    Args:
        message: Why, for people.
        status: HTTP status to answer.
        category: Why, for machines.
    """

    def __init__(self, message: str, *, status: int, category: StatusCategory) -> None:
        super().__init__(message, status=status, error_type=category.value)
        self.category = category


@dataclass(slots=True)
class Exchange:
    """A request, what the filters learnt about it, and its answer.

    Attributes:
        request: As it came.
        path: Template of its route.
        priority: How much a viewer would miss it.
        viewer: Who asks, once known.
        response: The answer, once there is one.
        category: Why it ended as it did.
        error: What ended it early.
        failed_in: Name of the filter that ended it; empty when the endpoint did, or nothing.
        passport: Where it was and when: names of filters and epoch nanoseconds, in order.
    """

    request: Request
    path: str
    priority: Priority
    viewer: str = ""
    response: Response | None = None
    category: StatusCategory = StatusCategory.SUCCESS
    error: ServiceError | None = None
    failed_in: str = ""
    passport: list[tuple[str, int]] = field(default_factory=list)
    _body: dict[str, Any] | None = None

    def stamp(self, where: str) -> None:
        """Write into the passport that the exchange is here now."""
        self.passport.append((where, time.time_ns()))

    async def body(self) -> dict[str, Any]:
        """Return the object in the request's body: JSON, or the fields of a form.

        Raises:
            RefusedError: It holds none, or is too large.
        """
        if self._body is not None:  # a stream is read once, and asked for again by the tunnel
            return self._body
        try:
            self._body = await read_object(self.request)
        except BodyError as error:
            raise RefusedError(
                str(error), status=400, category=StatusCategory.FAILURE_CLIENT_BAD_REQUEST
            ) from error
        return self._body


_BY_EVENT = {
    Event.SHORT_CIRCUITED: StatusCategory.FAILURE_LOCAL_SHORT_CIRCUITED,
    Event.SEMAPHORE_REJECTED: StatusCategory.FAILURE_LOCAL_THROTTLED_ORIGIN_CONCURRENCY,
    Event.TIMEOUT: StatusCategory.FAILURE_ORIGIN_READ_TIMEOUT,
}
_BY_STATUS = {
    400: StatusCategory.FAILURE_CLIENT_BAD_REQUEST,
    401: StatusCategory.FAILURE_CLIENT_UNAUTHORISED,
    404: StatusCategory.SUCCESS_NOT_FOUND,
    499: StatusCategory.FAILURE_CLIENT_CANCELLED,
}


def categorise(error: ServiceError) -> StatusCategory:
    """Return why a request that ended with ``error`` did so."""
    if isinstance(error, RefusedError):
        return error.category
    if isinstance(error, CommandRejectedError):
        return _BY_EVENT.get(error.event, StatusCategory.FAILURE_LOCAL)
    if isinstance(error, DependencyError):
        return _categorise_origin(error)
    return _BY_STATUS.get(error.status, StatusCategory.FAILURE_LOCAL)


def _categorise_origin(error: DependencyError) -> StatusCategory:
    if error.status in _BY_STATUS:
        return _BY_STATUS[error.status]
    if not error.address:
        return StatusCategory.FAILURE_ORIGIN_NO_SERVERS
    if error.status == 504:
        return StatusCategory.FAILURE_ORIGIN_READ_TIMEOUT
    if error.error_type != str(error.status):
        return StatusCategory.FAILURE_ORIGIN_CONNECTIVITY
    if error.status == 503:
        return StatusCategory.FAILURE_ORIGIN_THROTTLED
    return StatusCategory.FAILURE_ORIGIN
