"""Pieces of remote-write requests, for tests and generators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collectors.receivers.prometheus.remote_write_messages import message_class


def label(name: str, value: str) -> bytes:
    """Return an encoded ``Label`` of 1.0."""
    message = message_class("Label")(name=_bytes(name), value=_bytes(value))
    return bytes(message.SerializeToString())


def request_v2(symbols: Iterable[str]) -> Any:
    """Return a 2.0 request that has its symbols and nothing else."""
    return message_class("RequestV2")(symbols=[text.encode() for text in symbols])


def _bytes(text: str) -> bytes:
    """Return a text as it is sent; half a surrogate pair stands for a byte that is not UTF-8."""
    return text.encode("utf-8", "surrogateescape")
