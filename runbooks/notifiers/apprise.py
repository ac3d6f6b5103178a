"""Pages by any of the services that the library ``apprise`` knows, each by its URL.

Source: https://github.com/caronc/apprise/wiki
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Mapping
from typing import Any

from collectors.documents.section import Section
from collectors.documents.values import Secret
from collectors.errors import ConfigError
from collectors.printable import printable
from collectors.redaction import without_secrets
from runbooks.notifiers.console import page_text
from runbooks.notifiers.delivery import Action, Delivery, NotDeliveredError
from runbooks.notifiers.kind import NotifierKind
from tocsin.client.wording import trimmed

NAME = "apprise"
MAX_BODY, MAX_TITLE = 10_000, 250
_CALLS = re.compile(r"(?<=[@<])(?=everyone|here|channel|all|[!@#])", re.IGNORECASE)
"""Where a chat would take a stranger's text for a call to everybody."""

_GAP = "\N{ZERO WIDTH SPACE}"


class AppriseNotifier:
    """Hands pages to ``apprise``; edits show nothing new there.

    Args:
        services: By the channel's name in routes; each an ``apprise.Apprise`` of one URL.
    """

    def __init__(self, services: Mapping[str, Any]) -> None:
        self._services = services

    @property
    def name(self) -> str:
        """``apprise``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Send a page or an update as plain text."""
        service = self._services.get(delivery.channel)
        if service is None:
            raise NotDeliveredError(f"no URL is named {delivery.channel!r}; add it to urls")
        reference = delivery.reference or f"{delivery.channel}/{delivery.card.incident_id}"
        if delivery.action is Action.EDIT:
            return reference
        said = delivery.text
        if delivery.action is Action.OPEN:
            again = f"again: {delivery.text}\n" if delivery.text else ""
            said = again + page_text(delivery.card)
        heard = _Heard()
        logger = logging.getLogger(NAME)
        logger.addHandler(heard)
        try:
            sent = service.notify(
                body=disarmed(trimmed(said, MAX_BODY)),
                title=disarmed(trimmed(delivery.card.headline, MAX_TITLE, "…")),
                notify_type="failure" if delivery.card.is_open else "success",
                body_format="text",
            )
        finally:
            logger.removeHandler(heard)
        if not sent:
            raise NotDeliveredError(f"apprise could not deliver: {heard.last or 'no reason given'}")
        return reference

    def find(self, delivery: Delivery) -> str | None:
        """Return None: most services can't be asked."""
        del delivery
        return None


def disarmed(text: str) -> str:
    r"""Return ``text`` such that no chat takes a part of it for a call to everybody.

    >>> disarmed("@everyone <!here>") == "@\u200beveryone <\u200b!here>"
    True
    """
    return _CALLS.sub(_GAP, printable(text))


class _Heard(logging.Handler):
    """Keeps the last that ``apprise`` said, which answers only yes or no."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = without_secrets(record.getMessage())[:200]


class AppriseParameters(Section):
    """Pages by any service that the library `apprise` knows; `pip install 'tocsin[apprise]'`."""

    urls: dict[str, Secret]
    """URL of each channel that routes name, such as `discord://…`; best as `${NAME}`."""


def _made(parameters: AppriseParameters) -> AppriseNotifier:
    if importlib.util.find_spec(NAME) is None:
        raise ConfigError("apprise is set up but not installed: pip install 'tocsin[apprise]'")
    import apprise

    services: dict[str, Any] = {}
    for name, url in parameters.urls.items():
        services[name] = apprise.Apprise()
        if not services[name].add(url.get_secret_value()):
            raise ConfigError(
                f"apprise knows no service by the URL of {name!r}; its wiki lists all of them"
            )
    return AppriseNotifier(services)


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=AppriseParameters,
    make=_made,
    channels=lambda parameters: parameters.urls.keys(),
    important_only=True,
)
