"""Which addresses are this machine's own: no proxy stands between us and them."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether ``url`` points at this machine.

    >>> is_loopback("http://127.0.0.1:8080/api/"), is_loopback("https://slack.com/api/")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
