"""Pages at PagerDuty, by its Events API v2: each page an alert, acknowledged and resolved with us.

Every message that rings is an alert of its own: PagerDuty rings nobody for an event about an alert
that it knows. The one before is resolved, so that one alert stands for the incident.

Source: https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import orjson
import structlog

from collectors.documents.section import Section
from collectors.documents.values import DurationMs, Secret, Words, matching
from collectors.errors import ConfigError, TocsinError
from runbooks.alerts.grouping import SERVICE
from runbooks.incidents.states import Severity
from runbooks.notifiers.card import Card
from runbooks.notifiers.console import page_text
from runbooks.notifiers.delivery import Action, Delivery, NotDeliveredError
from runbooks.notifiers.http_posting import post, posting_client
from runbooks.notifiers.kind import NotifierKind
from tocsin.client.wording import trimmed

NAME = "pagerduty"
EVENTS_API = "https://events.pagerduty.com/v2/enqueue"
MAX_SUMMARY, MAX_DETAIL, MAX_LINKS, MAX_ENDED = 1_024, 20_000, 10, 20
KEY_CHARACTERS = 32
ACCEPTED = 202

_SEVERITIES = {Severity.SEV1: "critical", Severity.SEV2: "error", Severity.SEV3: "warning"}
_log = structlog.get_logger(__name__)


class PagerDutyNotifier:
    """Sends events.

    Args:
        routing_keys: Integration key of a service at PagerDuty, by the channel's name in routes.
        url: Of the Events API.
        timeout_s: For connecting and answering, seconds.
    """

    def __init__(
        self, routing_keys: Mapping[str, str], *, url: str = EVENTS_API, timeout_s: float = 10.0
    ) -> None:
        self._keys = routing_keys
        self._url = url
        self._client = posting_client(url, timeout_s)

    @property
    def name(self) -> str:
        """``pagerduty``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Trigger, acknowledge or resolve; a thread's lines have no place at PagerDuty."""
        routing_key = self._keys.get(delivery.channel)
        if routing_key is None:
            raise NotDeliveredError(
                f"no routing key is named {delivery.channel!r}; add it to notifiers.yaml"
            )
        if delivery.action is Action.OPEN:
            return self._trigger(routing_key, delivery)
        if delivery.action is Action.EDIT:
            self._follow(routing_key, delivery)
        return delivery.reference

    def find(self, delivery: Delivery) -> str | None:
        """Return None: an event that comes twice is merged by its key."""
        del delivery
        return None

    def _trigger(self, routing_key: str, delivery: Delivery) -> str:
        key = f"{delivery.card.incident_id}/{delivery.outbox_id}"
        self._send(routing_key, "trigger", key, **event_of(delivery))
        try:
            self._resolve(routing_key, delivery.earlier[:1])
        except TocsinError as error:
            # It has rung; what is left open is closed with the incident.
            _log.warning("earlier alert not resolved", reason=error.message)
        return key

    def _follow(self, routing_key: str, delivery: Delivery) -> None:
        """Bring PagerDuty's alert to where the incident is."""
        if not delivery.card.is_open:
            self._resolve(routing_key, (delivery.reference, *delivery.earlier))
        elif delivery.card.acknowledged:
            self._send(routing_key, "acknowledge", delivery.reference)

    def _resolve(self, routing_key: str, keys: Sequence[str]) -> None:
        for key in list(dict.fromkeys(keys))[:MAX_ENDED]:
            self._send(routing_key, "resolve", key)

    def _send(self, routing_key: str, action: str, key: str, **event: object) -> None:
        asked = {"routing_key": routing_key, "event_action": action, "dedup_key": key, **event}
        answer = post(self._client, self._url, orjson.dumps(asked), {}, repeatable=True)
        told: object = None
        if answer.status_code == ACCEPTED:
            try:
                told = json.loads(answer.text)
            except (ValueError, RecursionError):
                told = None
        if not isinstance(told, dict) or told.get("status") != "success":
            raise NotDeliveredError(
                f"PagerDuty did not accept the event: {answer.status_code} {answer.text[:200]!r}; "
                "is there something else at its address?"
            )


def event_of(delivery: Delivery) -> dict[str, object]:
    """Return what a trigger says beside its keys."""
    card = delivery.card
    again = f" (again: {delivery.text})" if delivery.text else ""
    details = {**dict(card.fields), "incident": card.incident_id, "page": page_text(card)}
    return {
        "client": "tocsin",
        "client_url": card.links[0][1] if card.links else "",
        "links": [
            {"href": address, "text": trimmed(label, 100)}
            for label, address in card.links[:MAX_LINKS]
            if address.startswith(("http://", "https://"))
        ],
        "payload": {
            "summary": trimmed(f"{card.headline}{again}", MAX_SUMMARY, "…"),
            "source": trimmed(_service(card) or "tocsin", 255, "…"),
            "severity": _SEVERITIES.get(card.severity, "info"),
            "timestamp": datetime.fromtimestamp(delivery.created_ms / 1000, UTC).isoformat(),
            "component": trimmed(_service(card), 255, "…"),
            "class": card.severity.value,
            "custom_details": {
                trimmed(name, 100, "…"): trimmed(text, MAX_DETAIL) for name, text in details.items()
            },
        },
    }


def _service(card: Card) -> str:
    return dict(card.scope).get(SERVICE, "")


class PagerDutyParameters(Section):
    """Pages at PagerDuty (Events API v2)."""

    routing_keys: dict[str, Secret]
    """Integration key of each channel that routes name: 32 characters, best as `${NAME}`."""
    url: Annotated[Words, matching(r"https?://\S+", "an address such as https://…/v2/enqueue")] = (
        EVENTS_API
    )
    """Of the Events API; for accounts in the EU https://events.eu.pagerduty.com/v2/enqueue."""
    timeout: DurationMs = 10_000
    """For connecting, and for each part of the answer."""


def _made(parameters: PagerDutyParameters) -> PagerDutyNotifier:
    keys = {name: told.get_secret_value() for name, told in parameters.routing_keys.items()}
    for name, key in keys.items():
        if len(key) != KEY_CHARACTERS:
            raise ConfigError(
                f"the routing key {name!r} of PagerDuty has {len(key)} characters, not "
                f"{KEY_CHARACTERS}; copy the integration key of an Events API v2 integration"
            )
    return PagerDutyNotifier(keys, url=parameters.url, timeout_s=parameters.timeout / 1000)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=PagerDutyParameters,
    make=_made,
    channels=lambda parameters: parameters.routing_keys.keys(),
)
