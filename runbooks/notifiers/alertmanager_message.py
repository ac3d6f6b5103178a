"""A page in the format of Alertmanager's webhook, version 4. Pure.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from runbooks.alerts.labels import prometheus_name
from runbooks.notifiers.card import Card
from runbooks.notifiers.delivery import Delivery

NOT_ENDED = "0001-01-01T00:00:00Z"
"""How Go, and so Alertmanager, writes a time that is not known."""


def alertmanager_message(delivery: Delivery) -> dict[str, object]:
    """Return the object that is posted: one group with one alert, the incident."""
    card = delivery.card
    status = "firing" if card.is_open else "resolved"
    labels = _labels(card)
    annotations = _annotations(delivery)
    address = card.links[0][1] if card.links else ""
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _moment(card.since_ms),
        "endsAt": NOT_ENDED if card.is_open or not card.ended_ms else _moment(card.ended_ms),
        "generatorURL": address,
        "fingerprint": hashlib.sha256(card.incident_id.encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{incident="{card.incident_id}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": delivery.channel,
        "groupLabels": {"incident": card.incident_id},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": address,
        "alerts": [alert],
    }


def _labels(card: Card) -> dict[str, str]:
    found = {prometheus_name(tag): value for tag, value in card.scope}
    return found | {
        "alertname": card.title or card.headline,
        "incident": card.incident_id,
        "severity": card.severity.value,
    }


def _annotations(delivery: Delivery) -> dict[str, str]:
    card = delivery.card
    found = {
        "summary": card.headline,
        "description": "\n".join(item.explanation for item in card.evidence),
        "status": card.status.value,
        "acknowledged": "true" if card.acknowledged else "false",
        "why_again": delivery.text,
        "on_call": card.called.words if card.called else "",
    }
    found |= {prometheus_name(label.partition(":")[0].lower()): url for label, url in card.links}
    return {name: text for name, text in found.items() if text}


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
