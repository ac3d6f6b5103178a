"""A signature of what is posted, so that a receiver knows whose it is and how old. Pure.

The form is that of Standard Webhooks, for which there are libraries in many languages.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from collectors.errors import ConfigError

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the bytes that sign: of ``whsec_…`` what the base64 stands for, else the text's.

    Raises:
        ConfigError: What follows ``whsec_`` is not base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(
            "a webhook's secret begins with whsec_ and is no base64 after; copy it again"
        ) from error


def signed(key: bytes, message_id: str, now_ms: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that sign ``body``.

    Args:
        key: Shared with the receiver, see :func:`key_of`.
        message_id: The same for every repetition of the same message.
        now_ms: When it is sent, epoch milliseconds.
        body: What is posted.

    >>> signed(b"k", "41", 1_700_000_000_000, b"{}")["webhook-timestamp"]
    '1700000000'
    """
    stamp = str(now_ms // 1000)
    content = b".".join((message_id.encode(), stamp.encode(), body))
    found = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{found}",
    }
