"""What the client asks about log records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import orjson

from tocsin.client.errors import UnreadableError
from tocsin.client.log_shapes import LogCounts, LogOverview, LogPage, LogRow, PatternChanges
from tocsin.client.transport import ParamValue, Transport

LOGS = "/api/v1/logs"


class LogCalls:
    """Search, count and follow lines."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def search(self, **wanted: ParamValue) -> LogPage:
        """Return a page of lines, newest first; parameters as of ``GET /api/v1/logs``."""
        return cast("LogPage", self._transport.get(LOGS, wanted))

    def histogram(self, **wanted: ParamValue) -> LogCounts:
        """Return how many lines match, by time and severity."""
        return cast("LogCounts", self._transport.get(f"{LOGS}/histogram", wanted))

    def overview(self) -> LogOverview:
        """Return whose lines there are, and how many."""
        return cast("LogOverview", self._transport.get(f"{LOGS}/services"))

    def patterns(self, **wanted: ParamValue) -> PatternChanges:
        """Return which patterns are new in a window, and which have grown."""
        return cast("PatternChanges", self._transport.get(f"{LOGS}/patterns", wanted))

    def follow(self, **wanted: ParamValue) -> Iterator[LogRow]:
        """Yield lines as they come, until the server ends the stream.

        Raises:
            UnreadableError: We read too slowly and were let go; the message says what was missed.
        """
        kind = ""
        for line in self._transport.stream(f"{LOGS}/tail", wanted):
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "line":
                yield cast("LogRow", orjson.loads(line.removeprefix("data: ")))
            elif line.startswith("data: ") and kind == "evicted":
                told = orjson.loads(line.removeprefix("data: "))
                raise UnreadableError(f"{told['missed']} lines were missed: {told['message']}")
