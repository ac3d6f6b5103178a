"""Reading the configuration again while everything runs: by SIGHUP and ``POST /api/v2/reload``.

Either all of it takes effect or none: a directory with mistakes leaves the old configuration in
force, and that is said in the log, in ``/health`` and by the metric
``tocsin.configuration.refused``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.clock import Clock
from collectors.errors import ConfigError, DocumentError
from tocsin.configuration.changes import differences
from tocsin.configuration.checks import checked_configuration
from tocsin.configuration.reading import Configuration

Use = Callable[[Configuration], None]


class UseAnew(Protocol):
    """Puts a configuration into force; ``anew``: all rules begin again."""

    def __call__(self, read: Configuration, *, anew: bool = False) -> None: ...  # noqa: D102 - see the class


"""Puts a configuration into force."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the last reading of the directory went.

    Attributes:
        time_ms: When it was.
        changes: What differs from before, in words; none at the start.
        problems: Why it was refused; none when it is in force.
    """

    time_ms: int
    changes: tuple[str, ...] = ()
    problems: tuple[ConfigError, ...] = ()


class Reloader:
    """Reads the configuration directory and puts it into force, one at a time.

    Args:
        directory: Where the files are; None: there are none, and a reload changes nothing.
        clock: The present.
        configuration: What is in force.
        use: Puts another one into force.
        problems: What is wrong with the directory although its configuration is in force.

    Attributes:
        configuration: What is in force.
        latest: How the last reading went.
    """

    def __init__(
        self,
        directory: Path | None,
        clock: Clock,
        configuration: Configuration,
        use: Use,
        problems: Sequence[ConfigError] = (),
    ) -> None:
        self.directory = directory
        self.latest = Reading(time_ms=clock.now_ms(), problems=tuple(problems))
        for problem in problems:
            _log.error("nothing is watched until a reload", problem=problem.message)
        self._clock = clock
        self.configuration = configuration
        self._use = use
        self._lock = Lock()

    @property
    def refused(self) -> bool:
        """Whether the files on the disk are not what is in force."""
        return bool(self.latest.problems)

    def reload(self) -> Reading:
        """Read every file again; what has mistakes changes nothing."""
        with self._lock:
            now_ms = self._clock.now_ms()
            try:
                read = checked_configuration(self.directory)
            except ConfigError as error:
                self.latest = Reading(time_ms=now_ms, problems=error.each())
                _log.error(
                    "configuration refused; the one before stays in force",
                    directory=str(self.directory),
                    problems=[problem.message for problem in self.latest.problems],
                )
                return self.latest
            changes = differences(self.configuration, read)
            self._use(read)
            self.configuration = read
            self.latest = Reading(time_ms=now_ms, changes=changes)
            _log.info("configuration reloaded", changes=list(changes) or "nothing changed")
            return self.latest

    def use_again(self) -> None:
        """Put what is in force into force again: something beside the files has changed."""
        with self._lock:
            self._use(self.configuration)

    def as_json(self) -> dict[str, Any]:
        """Return the state for ``/health``."""
        return {
            "directory": str(self.directory) if self.directory else None,
            "read_ms": self.latest.time_ms,
            "refused": self.refused,
            "changes": list(self.latest.changes),
            "problems": [problem_row(problem) for problem in self.latest.problems],
        }


def problem_row(error: ConfigError) -> dict[str, object]:
    """Return a mistake as JSON says it: the place apart where it is known."""
    if isinstance(error, DocumentError):
        place = {"file": error.file, "line": error.line, "field": error.field}
        return {**place, "message": error.reason}
    return {"file": None, "line": 0, "field": None, "message": error.message}


def reload_route(reloader: Reloader) -> Route:
    """Return ``POST /api/v2/reload``: 200 with what changed, 409 with every mistake."""

    async def answer(request: Request) -> Response:
        del request
        reading = await run_in_threadpool(reloader.reload)
        if reading.problems:
            message = "\n".join(problem.message for problem in reading.problems)
            body = {"type": "error", "message": message, **reloader.as_json()}
            return JSONResponse(body, status_code=409)
        return JSONResponse(reloader.as_json())

    return Route("/api/v2/reload", answer, methods=["POST"])
