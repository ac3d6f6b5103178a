"""Socket Mode: what people do in Slack comes over a connection that we open; no address of ours.

Each envelope is kept before it is acknowledged: what is not acknowledged, Slack sends again.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from collectors.errors import DecodeError
from runbooks.notifiers.loopback import is_loopback
from runbooks.notifiers.slack_client import repeating_client
from runbooks.notifiers.slack_errors import reaching

Take = Callable[[str, Mapping[str, Any]], None]
"""Keeps what an envelope of a kind carries; raises what keeps it from being acknowledged."""

CONCURRENCY = 2
_SILENT = logging.getLogger("runbooks.slack.socket_mode.sdk")
_log = structlog.get_logger(__name__)


class SlackSocket:
    """One connection of an app, opened again whenever it ends.

    Args:
        app_token: ``xapp-…`` with ``connections:write``.
        base_url: The API's address.
        take: Keeps what comes.
    """

    def __init__(self, app_token: str, base_url: str, take: Take) -> None:
        self._take = take
        self._token = app_token
        self._base_url = base_url.rstrip("/") + "/"
        self._client: SocketModeClient | None = None

    def is_open(self) -> bool:
        """Whether what people do reaches us."""
        return self._client is not None and self._client.is_connected()

    def open(self) -> None:
        """Connect if there is no connection; from then on slack-sdk opens it anew by itself.

        Raises:
            ClosedWayError: Slack refuses; the message says what to do.
            DelayedError: Slack can't be reached.
        """
        if self._client is None:
            self._client = self._made()
        if not self._client.is_connected():
            reaching(self._connect)

    def close(self) -> None:
        """End it for good."""
        if self._client is not None:
            self._client.closed, self._client.auto_reconnect_enabled = True, False
            # slack-sdk's own threads take seconds to end, and nothing waits for them.
            end = self._client.close
            threading.Thread(target=end, name="tocsin-slack-end", daemon=True).start()

    def _made(self) -> SocketModeClient:
        _SILENT.setLevel(logging.CRITICAL)  # what fails is told by us, once
        client = SocketModeClient(
            app_token=self._token,
            web_client=repeating_client(self._token, self._base_url),
            logger=_SILENT,
            concurrency=CONCURRENCY,
        )
        if is_loopback(self._base_url):
            client.proxy = None
        client.socket_mode_request_listeners.append(self._heard)
        return client

    def _connect(self) -> None:
        if self._client is None:
            return
        self._client.wss_uri = None  # each address is good for one connection
        self._client.connect()

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Keep, then acknowledge; what can't be read is acknowledged, for it stays so."""
        try:
            self._take(request.type, request.payload)
        except DecodeError as error:
            _log.warning("envelope not understood", kind=request.type, reason=error.message)
        client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
