"""Hearing what people do in Slack over Socket Mode, and saying so when nothing is heard."""

from __future__ import annotations

import structlog

from collectors.clock import Clock
from collectors.errors import TocsinError
from collectors.host.faults import Faults
from runbooks.notifiers.delivery import DelayedError
from runbooks.slack.socket_mode import SlackSocket

HEARING = "hearing of Slack"
_LOST = "what people press and write in Slack; incidents are answered on the pages meanwhile"
AGAIN_MS, MAX_AGAIN_MS = 1_000, 30_000
_log = structlog.get_logger(__name__)


class SlackListening:
    """Keeps a connection open.

    Args:
        socket: The connection.
        faults: Hears of a connection that can't be opened.
        clock: The present.
    """

    def __init__(self, socket: SlackSocket, faults: Faults, clock: Clock) -> None:
        self._socket = socket
        self._faults = faults
        self._clock = clock
        self._again_ms = self._failures = 0

    def work(self) -> None:
        """Open the connection if it is not open."""
        if self._socket.is_open():
            self._works()
            return
        now_ms = self._clock.now_ms()
        if now_ms < self._again_ms:
            return
        try:
            self._socket.open()
        except TocsinError as error:
            _log.warning("Socket Mode not connected", reason=error.message)
            self._failures += 1
            wait_ms = min(MAX_AGAIN_MS, AGAIN_MS * 2 ** min(self._failures, 10))
            if isinstance(error, DelayedError):
                wait_ms = max(wait_ms, int(error.retry_after_s * 1000))
            self._again_ms = now_ms + wait_ms
            self._faults.failed(
                HEARING, place="Slack (Socket Mode)", reason=error.message, lost=_LOST, urgent=False
            )
        else:
            self._works()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _works(self) -> None:
        self._failures = 0
        self._faults.over(HEARING)
