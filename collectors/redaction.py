"""Secrets taken out of what is shown: passwords in addresses, in logs, errors and pages."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "***"
# What stands before the @ of an address, and parameters that are named like secrets.
_USER = re.compile(r"(?P<scheme>[A-Za-z0-9+.-]*://)(?P<user>[^/?#\s:@]*):[^/?#\s]*@")
_TOKEN_USER = re.compile(r"(?P<scheme>https?://)[^/?#\s:@]{8,}@")
_PARAMETER = re.compile(
    r"(?P<name>[?&;](?:[\w.-]*(?:password|passwd|secret|token|api_?key|signature|credential)[\w.-]*"
    r"|pwd|auth|key|sig)=)[^&#;\s'\"]+",
    re.IGNORECASE,
)
# A webhook's path is its password.
_WEBHOOK = re.compile(
    r"(?P<head>https://(?:hooks\.slack\.com/(?:services|workflows|triggers)"
    r"|discord(?:app)?\.com/api/webhooks|[\w.-]+\.webhook\.office\.com/\w+))/[^\s'\"?#]+"
)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address: of a webhook, the rest is its password.

    >>> origin_of("https://ops:pw@example.org:8443/hook/abc?token=d")
    'https://example.org:8443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def redacted(value: Any) -> Any:
    """Return JSON with the passwords of the addresses in its texts hidden."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def without_secrets(text: str) -> str:
    """Return ``text`` with the passwords of the addresses in it hidden.

    >>> without_secrets("postgresql+psycopg://ops:hunter2@db:5432/incidents")
    'postgresql+psycopg://ops:***@db:5432/incidents'
    >>> without_secrets("can't reach http://a:p@ss@b:8123/x?password=c&y=1")
    "can't reach http://a:***@b:8123/x?password=***&y=1"
    >>> without_secrets("https://hooks.slack.com/services/T0/B0/abc")
    'https://hooks.slack.com/services/***'
    >>> without_secrets("http://127.0.0.1:9090/metrics?match=up")
    'http://127.0.0.1:9090/metrics?match=up'
    """
    text = _USER.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", text)
    text = _TOKEN_USER.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _WEBHOOK.sub(rf"\g<head>/{HIDDEN}", text)
    return _PARAMETER.sub(rf"\g<name>{HIDDEN}", text)
