"""Pages as JSON to any HTTP endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated

import httpx2

from collectors.documents.section import Section
from collectors.documents.values import DurationMs, Words, matching
from collectors.redaction import origin_of
from runbooks.notifiers.delivery import (
    DelayedError,
    Delivery,
    NotDeliveredError,
    RateLimitedError,
    UncertainError,
)
from runbooks.notifiers.kind import NotifierKind
from runbooks.notifiers.loopback import is_loopback

RETRY_STATUSES = frozenset({408, 425, 502, 503, 504})
DEFAULT_RETRY_S = 5.0
NAME = "webhook"


class WebhookNotifier:
    """Posts one JSON object a notification.

    A repeated request carries the same ``Idempotency-Key``: delivery is at least once.

    Args:
        urls: Address by the channel's name in routes.
        timeout_s: For connecting and answering, seconds.
    """

    def __init__(self, urls: Mapping[str, str], *, timeout_s: float = 10.0) -> None:
        self._urls = urls
        # Made once, for each loads the certificates. No connection is kept: pages are rare.
        self._clients = {
            channel: httpx2.Client(
                timeout=timeout_s,
                trust_env=not is_loopback(url),  # a proxy can't reach our loopback
                limits=httpx2.Limits(max_keepalive_connections=0),
            )
            for channel, url in urls.items()
        }

    @property
    def name(self) -> str:
        """``webhook``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Post ``delivery``."""
        url = self._urls.get(delivery.channel)
        if url is None:
            raise NotDeliveredError(f"no webhook is named {delivery.channel!r}; add its address")
        headers = {"Idempotency-Key": str(delivery.outbox_id)}
        try:
            client = self._clients[delivery.channel]
            answer = client.post(url, json=payload(delivery), headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise DelayedError(
                f"{origin_of(url)}: {error}", retry_after_s=DEFAULT_RETRY_S
            ) from error
        except httpx2.HTTPError as error:
            raise UncertainError(f"{origin_of(url)}: {error!r}") from error
        if answer.is_success:
            return delivery.reference or f"{delivery.channel}/{delivery.card.incident_id}"
        reason = f"{origin_of(url)} answered {answer.status_code}: {answer.text[:200]}"
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimitedError(reason, retry_after_s=_retry_after_s(answer))
        if answer.status_code in RETRY_STATUSES:
            raise DelayedError(reason, retry_after_s=_retry_after_s(answer))
        if answer.status_code >= 500:
            raise UncertainError(reason)
        raise NotDeliveredError(reason)

    def find(self, delivery: Delivery) -> str | None:
        """Return None: the receiver tells repeats apart by their ``Idempotency-Key``."""
        del delivery
        return None


def payload(delivery: Delivery) -> dict[str, object]:
    """Return the JSON object that is posted."""
    card = asdict(delivery.card)
    card["fields"] = dict(delivery.card.fields)
    card["links"] = dict(delivery.card.links)
    return {"version": 1, "action": delivery.action.value, "text": delivery.text, "incident": card}


def _retry_after_s(answer: httpx2.Response) -> float:
    raw = answer.headers.get("Retry-After", "")
    return float(raw) if raw.isdigit() else DEFAULT_RETRY_S


_Address = Annotated[
    Words, matching(r"https?://\S+", "an address such as https://example.org/hook")
]


class WebhookParameters(Section):
    """Pages as JSON to any HTTP endpoint."""

    urls: dict[str, _Address]
    """Address of each channel that routes name. `${NAME}` reads a variable of the environment."""
    timeout: DurationMs = 10_000
    """For connecting, and for each part of the answer."""


def _made(parameters: WebhookParameters) -> WebhookNotifier:
    return WebhookNotifier(parameters.urls, timeout_s=parameters.timeout / 1000)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=WebhookParameters,
    make=_made,
    channels=lambda parameters: parameters.urls.keys(),
)
