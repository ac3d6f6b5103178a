"""Pages as JSON to any HTTP endpoint: in our own words or in Alertmanager's, signed if wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated

import orjson

from collectors.clock import Clock, SystemClock
from collectors.documents.section import Context, Section, close_to
from collectors.documents.values import DurationMs, Secret, Words, matching, one_of
from collectors.errors import DocumentError
from runbooks.notifiers.alertmanager_message import alertmanager_message
from runbooks.notifiers.delivery import Action, Delivery, NotDeliveredError
from runbooks.notifiers.http_posting import post, posting_client
from runbooks.notifiers.kind import NotifierKind
from runbooks.notifiers.signing import key_of, signed

NAME = "webhook"


class Form(StrEnum):
    """What is posted: ``TOCSIN`` everything; ``ALERTMANAGER`` pages and states, no thread."""

    TOCSIN = "tocsin"
    ALERTMANAGER = "alertmanager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An address that pages are posted to.

    Attributes:
        url: The address.
        form: What is posted there.
        key: Signs what is posted; empty: nothing is signed.
    """

    url: str
    form: Form = Form.TOCSIN
    key: bytes = b""


class WebhookNotifier:
    """Posts one JSON object a notification.

    A repeated request carries the same ``Idempotency-Key``: delivery is at least once.

    Args:
        hooks: Each by the channel's name in routes.
        timeout_s: For connecting and answering, seconds.
        clock: The present, which is signed too.
    """

    def __init__(
        self, hooks: Mapping[str, Hook], *, timeout_s: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._hooks = hooks
        self._clock = clock or SystemClock()
        self._clients = {
            channel: posting_client(hook.url, timeout_s) for channel, hook in hooks.items()
        }

    @property
    def name(self) -> str:
        """``webhook``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Post ``delivery``; in Alertmanager's format there is no place for a thread's lines."""
        hook = self._hooks.get(delivery.channel)
        if hook is None:
            raise NotDeliveredError(f"no webhook is named {delivery.channel!r}; add its address")
        reference = delivery.reference or f"{delivery.channel}/{delivery.card.incident_id}"
        if hook.form is Form.ALERTMANAGER and delivery.action is Action.REPLY:
            return reference
        body = orjson.dumps(_WORDED[hook.form](delivery))
        headers = {"Idempotency-Key": str(delivery.outbox_id)}
        if hook.key:
            headers |= signed(hook.key, str(delivery.outbox_id), self._clock.now_ms(), body)
        post(self._clients[delivery.channel], hook.url, body, headers)
        return reference

    def find(self, delivery: Delivery) -> str | None:
        """Return None: the receiver tells repeats apart by their ``Idempotency-Key``."""
        del delivery
        return None


def payload(delivery: Delivery) -> dict[str, object]:
    """Return the JSON object that is posted in our own words."""
    card = asdict(delivery.card)
    card["fields"] = dict(delivery.card.fields)
    card["links"] = dict(delivery.card.links)
    card["scope"] = dict(delivery.card.scope)
    return {"version": 1, "action": delivery.action.value, "text": delivery.text, "incident": card}


_WORDED: Mapping[Form, Callable[[Delivery], dict[str, object]]] = {
    Form.TOCSIN: payload,
    Form.ALERTMANAGER: alertmanager_message,
}

_Address = Annotated[
    Words, matching(r"https?://\S+", "an address such as https://example.org/hook")
]


class WebhookParameters(Section):
    """Pages as JSON to any HTTP endpoint."""

    urls: dict[str, _Address]
    """Address of each channel that routes name. `${NAME}` reads a variable of the environment."""
    formats: dict[str, Annotated[Form, one_of(tuple(Form))]] = {}
    """What a channel is posted: `tocsin`, which is everything, or `alertmanager` (its webhook)."""
    secrets: dict[str, Secret] = {}
    """Signs what a channel is posted, by Standard Webhooks: `whsec_…` or any text."""
    timeout: DurationMs = 10_000
    """For connecting, and for each part of the answer."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield formats and secrets of channels that have no address."""
        del context
        for name in ("formats", "secrets"):
            for channel in getattr(self, name):
                if channel not in self.urls:
                    meant = close_to(channel, self.urls)
                    remedy = f"did you mean {meant!r}?" if meant else "add it to urls"
                    yield self.at(name).error(f"{channel!r} has no address; {remedy}")


def _made(parameters: WebhookParameters) -> WebhookNotifier:
    keys = {name: key_of(told.get_secret_value()) for name, told in parameters.secrets.items()}
    hooks = {
        channel: Hook(
            url=url,
            form=parameters.formats.get(channel, Form.TOCSIN),
            key=keys.get(channel, b""),
        )
        for channel, url in parameters.urls.items()
    }
    return WebhookNotifier(hooks, timeout_s=parameters.timeout / 1000)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=WebhookParameters,
    make=_made,
    channels=lambda parameters: parameters.urls.keys(),
)
