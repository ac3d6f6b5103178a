"""What a service raises when it can't answer.

::

    PlatformError              base of everything raised on purpose
    ├── ServiceError           an HTTP answer that is an error
    │   └── DependencyError    ... because a service that was called failed
    └── LayoutError            asked for a name that does not exist
"""

from __future__ import annotations


class PlatformError(Exception):
    """Base of the platform's errors."""


class LayoutError(PlatformError):
    """A region, service, fault or instance that does not exist."""


class ServiceError(PlatformError):
    """An error answer.

    Args:
        message: What happened.
        status: HTTP status to answer.
        error_type: ``error.type`` on the span; the status code when empty.
    """

    def __init__(self, message: str, *, status: int = 500, error_type: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type or str(status)


class DependencyError(ServiceError):
    """A call to another service failed.

    Args:
        service: Who was called.
        message: What happened.
        status: The status it answered with, or 503 when it did not answer.
        error_type: The status code, or the name of the transport's error.
        address: The instance that was called; empty when there was none.
    """

    def __init__(
        self,
        service: str,
        message: str,
        *,
        status: int,
        error_type: str = "",
        address: str = "",
    ) -> None:
        super().__init__(f"{service}: {message}", status=status, error_type=error_type)
        self.service = service
        self.address = address
