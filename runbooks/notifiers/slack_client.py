"""slack-sdk's client, told when to repeat a call and when not, and kept off proxies on loopback."""

from __future__ import annotations

import logging
import urllib.request
from functools import cached_property
from typing import Any

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler

from runbooks.notifiers.loopback import is_loopback

TIMEOUT_S = 10
_SILENT = logging.getLogger("runbooks.notifiers.slack_client.sdk")


def posting_client(token: str, base_url: str) -> WebClient:
    """Return a client for ``chat.postMessage``: it never repeats a request by itself.

    Slack has no idempotency key, and the SDK's default handler posts twice when a reply is lost
    (measured). Rate limits are not waited for here either: the outbox's row waits, not the thread.
    """
    return _client(token, base_url, repeats=False)


def repeating_client(token: str, base_url: str) -> WebClient:
    """Return a client for edits and reads, which may be repeated when the connection breaks."""
    return _client(token, base_url, repeats=True)


def _client(token: str, base_url: str, *, repeats: bool) -> WebClient:
    kind = _DirectWebClient if is_loopback(base_url) else WebClient
    return kind(
        token=token,
        base_url=base_url,
        timeout=TIMEOUT_S,
        retry_handlers=[ConnectionErrorRetryHandler()] if repeats else [],
        logger=_SILENT,
    )


class _DirectWebClient(WebClient):
    """Ignores ``HTTP_PROXY`` and ``HTTPS_PROXY``.

    The SDK takes ``HTTPS_PROXY`` for any base URL, and urllib takes ``HTTP_PROXY`` below it; a
    proxy can't reach our loopback.
    """

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _perform_urllib_http_request_internal(
        self, url: str, req: urllib.request.Request
    ) -> dict[str, Any]:
        del url  # the request has it
        with self._opener.open(req, timeout=self.timeout) as answer:
            body = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
            return {"status": answer.status, "headers": answer.headers, "body": body}
