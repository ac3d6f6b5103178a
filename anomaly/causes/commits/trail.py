"""Where a failure begins, by what services say of each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a service has begun to say since the onset."""

    service: str
    text: str


def first_failing(
    alerting: str, messages: Sequence[Message], services: Collection[str]
) -> tuple[str, ...]:
    """Return the way from the service that alerts to the one where it begins, both included.

    A service's messages are followed to another that they name and that speaks of trouble itself.
    Two that name each other each see the other's trouble: neither is followed.

    >>> said = [Message(service="shop", text="stock answered 503")]
    >>> first_failing("shop", [*said, Message(service="stock", text="no disk")], ["shop", "stock"])
    ('shop', 'stock')

    Args:
        alerting: The service that alerts.
        messages: New or more frequent ones of trouble, the alert's own summary among them.
        services: Names that may be meant.
    """
    named = {
        service: _named(service, messages, services)
        for service in {alerting, *(message.service for message in messages)}
    }
    way = [alerting]
    while True:
        here = way[-1]
        further = [
            other
            for other in sorted(named.get(here, ()))
            if other in named and other not in way and here not in named[other]
        ]
        if not further:
            return tuple(way)
        way.append(further[0])


def _named(service: str, messages: Sequence[Message], services: Collection[str]) -> set[str]:
    text = " ".join(message.text for message in messages if message.service == service)
    return {
        other
        for other in services
        if other != service and re.search(rf"(?<![\w-]){re.escape(other)}(?![\w-])", text)
    }
