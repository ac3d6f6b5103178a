"""What keeps a client from an answer.

::

    ClientError              anything that kept us from an answer
    ├── UnreachableError     nobody answered: refused, reset or too slow
    ├── AnswerError          the server answered with a status of 400 or more
    │   ├── MissingError     ... 404: no such thing
    │   └── RefusedError     ... 409: not possible in the present state, with the reason
    └── UnreadableError      an answer that is not what the API promises
"""

from __future__ import annotations


class ClientError(Exception):
    """Base of what the client raises. ``message`` is written for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnreachableError(ClientError):
    """Nobody answered in time at the address."""


class AnswerError(ClientError):
    """The server answered with an error; ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class MissingError(AnswerError):
    """The thing asked for does not exist (404)."""


class RefusedError(AnswerError):
    """The command is not possible in the present state (409)."""


class UnreadableError(ClientError):
    """The answer is not JSON or lacks what the API promises."""
