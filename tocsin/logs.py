"""Structured logs on standard error: for people on a terminal, JSON lines elsewhere."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TextIO, cast

import structlog

from collectors.printable import printable
from collectors.redaction import redacted, without_secrets


class _Patient:
    """A stream whose full disk costs lines of the log and nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text`` if the stream takes it."""
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, if the stream takes it."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def _clean(
    logger: object, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Hide the passwords of addresses, and whatever would command a terminal."""
    del logger, method
    return {key: _cleaned(value) for key, value in event.items()}


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return printable(without_secrets(value))
    if isinstance(value, dict | list | tuple):
        return redacted(value)
    return value


def configure_logs() -> None:
    """Set up structlog once, for the process that serves."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _clean,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
