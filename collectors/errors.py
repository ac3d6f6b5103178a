"""The error tree of the whole suite.

::

    TocsinError
    ├── ConfigError            a setting or a file written by the operator is wrong
    │   └── DocumentError      ... with file, line and field
    │       └── DocumentErrors several of these at once
    ├── InputError             a client sent something we refuse; carries an HTTP status
    │   ├── DecodeError        the bytes are not what the protocol says (400)
    │   ├── TooLargeError      over a limit, before or after decompression (413)
    │   ├── UnsupportedError   a media type or an encoding that we do not speak (415)
    │   ├── QueryError         an expression that can't be parsed or evaluated (400)
    │   ├── TooCostlyError     a query needs more time or memory than it may take (422)
    │   ├── CancelledError     a query was cancelled (409)
    │   ├── NotFoundError      no such thing (404)
    │   ├── ConflictError      not possible in the present state (409)
    │   ├── TooManyError       one person or sender asks too often (429)
    │   └── ForbiddenError     a signature that is missing or wrong (401)
    │       └── NotAllowedError    whoever asks is known and may not (403)
    ├── OverloadedError        try again later (503, Retry-After)
    └── StorageError           the disk or the history database failed us
"""

from __future__ import annotations

from collections.abc import Sequence


class TocsinError(Exception):
    """Base of every error raised on purpose.

    Args:
        message: What happened, the offending value, what to do.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(TocsinError):
    """A setting or an operator's file is wrong; ``tocsin check-config`` reports these."""

    def each(self) -> tuple[ConfigError, ...]:
        """Return every single mistake."""
        return (self,)


class DocumentError(ConfigError):
    """A YAML document is invalid at a known place.

    Args:
        message: What is wrong and what would be right.
        file: Path as the operator wrote it.
        line: 1-based line, 0 when unknown.
        field: Dotted path of the field, such as ``spec.objectives[0].target``.
    """

    def __init__(self, message: str, *, file: str, line: int, field: str) -> None:
        super().__init__(f"{file}:{line}: {field}: {message}")
        self.reason = message
        self.file = file
        self.line = line
        self.field = field

    def each(self) -> tuple[DocumentError, ...]:
        """Return every single mistake."""
        return (self,)


class DocumentErrors(DocumentError):  # noqa: N818 - several
    """Several mistakes at once; file, line and field are those of the first.

    Args:
        errors: Each of them, at least one; the message has a line for each.
    """

    def __init__(self, errors: Sequence[DocumentError]) -> None:
        first = errors[0]
        super().__init__(first.reason, file=first.file, line=first.line, field=first.field)
        self.errors = tuple(errors)
        self.message = "\n".join(error.message for error in errors)
        self.args = (self.message,)

    def each(self) -> tuple[DocumentError, ...]:
        """Return every single mistake."""
        return self.errors


class InputError(TocsinError):
    """A client's input is refused; ``status`` is the HTTP status to answer."""

    status = 400


class DecodeError(InputError):
    """The bytes do not follow the protocol."""


class TooLargeError(InputError):
    """A limit on size or count is exceeded."""

    status = 413


class TooManyError(InputError):
    """One person or sender asks too often; a moment later it is taken."""

    status = 429


class UnsupportedError(InputError):
    """A media type or content encoding that is not spoken here."""

    status = 415


class QueryError(InputError):
    """A stack-language expression can't be parsed or evaluated.

    ``kind`` is the exception name Atlas would have put into its message, for instance
    ``IllegalStateException``.
    """

    def __init__(self, message: str, *, kind: str = "IllegalStateException") -> None:
        super().__init__(message)
        self.kind = kind


class TooCostlyError(InputError):
    """A query needs more time or memory than one may take."""

    status = 422


class CancelledError(InputError):
    """A query was cancelled: its client went away, or an operator stopped it."""

    status = 409


class NotFoundError(InputError):
    """The thing asked for does not exist."""

    status = 404


class ConflictError(InputError):
    """The command is not possible in the present state."""

    status = 409


class ForbiddenError(InputError):
    """The signature is missing or wrong."""

    status = 401


class NotAllowedError(ForbiddenError):
    """Whoever asks is known, and has no right to this."""

    status = 403


class OverloadedError(TocsinError):
    """Too much work is queued; the client should retry after ``retry_after_s``."""

    status = 503

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageError(TocsinError):
    """The disk or the history database failed."""

    status = 503
