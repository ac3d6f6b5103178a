"""One POST to an address of the operator's, and what each answer means for the page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import httpx2

from collectors.redaction import origin_of
from runbooks.notifiers.delivery import (
    DelayedError,
    NotDeliveredError,
    RateLimitedError,
    UncertainError,
)
from runbooks.notifiers.loopback import is_loopback

RETRY_STATUSES = frozenset({408, 425, 502, 503, 504})
DEFAULT_RETRY_S = 5.0
MAX_RETRY_S = 3_600.0
"""Who asks for a longer pause is asked again after this one."""


def posting_client(url: str, timeout_s: float) -> httpx2.Client:
    """Return a client for ``url``; made once, for each loads the certificates.

    No connection is kept: pages are rare. A proxy can't reach our loopback, and isn't asked to.
    """
    return httpx2.Client(
        timeout=timeout_s,
        trust_env=not is_loopback(url),
        limits=httpx2.Limits(max_keepalive_connections=0),
    )


def post(
    client: httpx2.Client,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    repeatable: bool = False,
) -> httpx2.Response:
    """Post JSON and return the answer if it is a success.

    Args:
        client: From :func:`posting_client`.
        url: Where to.
        body: JSON.
        headers: Further ones.
        repeatable: Whether the receiver merges what it gets twice, so that what may have arrived
            is sent again.

    Raises:
        NotDeliveredError: Refused.
        DelayedError: Not taken now; :class:`RateLimitedError` if too much was sent.
        UncertainError: It may have been taken.
    """
    place = origin_of(url)
    try:
        answer = client.post(
            url, content=body, headers={"Content-Type": "application/json", **headers}
        )
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise DelayedError(f"{place}: {error}", retry_after_s=DEFAULT_RETRY_S) from error
    except httpx2.HTTPError as error:
        raise _unanswered(f"{place}: {error!r}", repeatable=repeatable) from error
    if answer.is_success:
        return answer
    reason = f"{place} answered {answer.status_code}: {answer.text[:200]}"
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimitedError(reason, retry_after_s=_retry_after_s(answer))
    if answer.status_code in RETRY_STATUSES:
        raise DelayedError(reason, retry_after_s=_retry_after_s(answer))
    if answer.status_code >= 500:
        raise _unanswered(reason, repeatable=repeatable)
    raise NotDeliveredError(reason)


def _unanswered(reason: str, *, repeatable: bool) -> DelayedError | UncertainError:
    if repeatable:
        return DelayedError(reason, retry_after_s=DEFAULT_RETRY_S)
    return UncertainError(reason)


def _retry_after_s(answer: httpx2.Response) -> float:
    raw = answer.headers.get("Retry-After", "")
    return min(float(raw), MAX_RETRY_S) if raw.isascii() and raw.isdigit() else DEFAULT_RETRY_S
