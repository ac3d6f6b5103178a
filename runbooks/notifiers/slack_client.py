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
MAX_ANSWER_BYTES = 20_000_000
_SILENT = logging.getLogger("runbooks.notifiers.slack_client.sdk")


def posting_client(token: str, base_url: str, timeout_s: int = TIMEOUT_S) -> WebClient:
    """Return a client for ``chat.postMessage``: it never repeats a request by itself.

    Slack has no idempotency key, and the SDK's default handler posts twice when a reply is lost
    (measured). Rate limits are not waited for here either: the outbox's row waits, not the thread.
    """
    return _client(token, base_url, repeats=False, timeout_s=timeout_s)


def repeating_client(token: str, base_url: str) -> WebClient:
    """Return a client for edits and reads, which may be repeated when the connection breaks."""
    return _client(token, base_url, repeats=True)


def _client(token: str, base_url: str, *, repeats: bool, timeout_s: int = TIMEOUT_S) -> WebClient:
    return _StrictWebClient(
        token=token,
        base_url=base_url,
        timeout=timeout_s,
        retry_handlers=[ConnectionErrorRetryHandler()] if repeats else [],
        logger=_SILENT,
    )


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Follows nobody: urllib would take the token to wherever it is sent."""

    def redirect_request(self, *_asked: object, **_named: object) -> None:
        """Leave the answer as it is."""


class _StrictWebClient(WebClient):
    """Follows no redirects, reads no endless answer, and takes no proxy to our own loopback.

    The SDK takes ``HTTPS_PROXY`` for any base URL, and urllib takes ``HTTP_PROXY`` below it; a
    proxy can't reach our loopback.
    """

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        proxies: dict[str, str] = {}
        if self.proxy and not is_loopback(self.base_url):
            proxies = {"http": self.proxy, "https": self.proxy}
        secure = urllib.request.HTTPSHandler(context=self.ssl)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies), secure, _StaysHere()
        )

    def _perform_urllib_http_request_internal(
        self, url: str, req: urllib.request.Request
    ) -> dict[str, Any]:
        del url  # the request has it
        with self._opener.open(req, timeout=self.timeout) as answer:
            body = answer.read(MAX_ANSWER_BYTES)
            text = body.decode(answer.headers.get_content_charset() or "utf-8", "replace")
            return {"status": answer.status, "headers": answer.headers, "body": text}
