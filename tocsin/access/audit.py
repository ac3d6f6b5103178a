"""The audit log: who changed what, from where, and how it ended. Append-only, a line a request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import orjson
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

FILE = "audit.jsonl"
MAX_BYTES = 32 << 20
"""Of one file; the one before it is kept."""
MAX_LISTED = 1_000
_TAIL_BYTES = MAX_LISTED * 1_024
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request that changed something, or that was refused.

    Attributes:
        time_ms: Epoch milliseconds.
        who: Name of the token; ``anybody`` without one.
        role: Of the token; empty without one.
        peer: Address that it came from.
        method: HTTP method, or ``gRPC``.
        path: What was asked, without parameters.
        outcome: HTTP status.
        reason: Why it was refused; empty if it was not.
    """

    time_ms: int
    who: str
    role: str
    peer: str
    method: str
    path: str
    outcome: int
    reason: str = ""


class AuditLog:
    """Keeps entries in a file that only its owner reads.

    A disk that is full must not keep anybody from answering an incident: what can't be written is
    counted and logged.

    Args:
        directory: The data directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._lock = Lock()
        self.lost = 0

    def note(self, entry: Entry) -> None:
        """Append an entry."""
        line = orjson.dumps(asdict(entry)) + b"\n"
        with self._lock:
            try:
                if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
                    self._path.replace(self._path.with_suffix(".1.jsonl"))
                flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
                with os.fdopen(os.open(self._path, flags, 0o600), "ab") as file:
                    file.write(line)
            except OSError as error:
                self.lost += 1
                _log.error("audit entry lost", reason=str(error), entry=asdict(entry))

    def latest(self, limit: int = MAX_LISTED) -> list[dict[str, Any]]:
        """Return the newest entries, newest first; lines that are damaged are left out."""
        found = list(self._entries())
        return found[-min(limit, MAX_LISTED) :][::-1]

    def _entries(self) -> Iterator[dict[str, Any]]:
        for path in (self._path.with_suffix(".1.jsonl"), self._path):
            for line in _tail(path).splitlines():
                try:
                    yield orjson.loads(line)
                except ValueError:
                    continue


def _tail(path: Path) -> bytes:
    """Return the end of a file; its first line may be cut. Empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


def audit_route(log: AuditLog) -> Route:
    """Return ``GET /api/v2/audit``: the newest entries, newest first."""

    async def answer(request: Request) -> JSONResponse:
        del request
        entries = await run_in_threadpool(log.latest)
        return JSONResponse({"entries": entries, "lost": log.lost})

    return Route("/api/v2/audit", answer, methods=["GET"])
