"""Prometheus labels as Atlas tags.

``__name__`` becomes ``name``; characters outside Atlas's alphabet become ``_``; empty values mean
"absent" as in Prometheus. Remote write 1.0 carries no types, so the kind follows the naming rules
of OpenMetrics: ``_total``, ``_count``, ``_sum`` and ``_bucket`` are cumulative, the rest gauges.
"""

from __future__ import annotations

from collections.abc import Iterable

from collectors.errors import DecodeError
from collectors.model import DSTYPE, SeriesKind
from collectors.store.validation import legal_text

_CUMULATIVE = ("_total", "_count", "_sum", "_bucket")
_BYTES = 2


def prometheus_kind(name: str) -> SeriesKind:
    """Return the kind that a metric's name implies.

    >>> prometheus_kind("http_requests_total")
    <SeriesKind.COUNTER: 'counter'>
    """
    return SeriesKind.COUNTER if name.endswith(_CUMULATIVE) else SeriesKind.GAUGE


def prometheus_tags(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return tags for ``labels``; a label called ``name`` is kept as ``exported_name``."""
    tags: dict[str, str] = {}
    for key, value in labels:
        if not value:
            continue
        if key == "__name__":
            tags["name"] = legal_text(value)
            tags[DSTYPE] = prometheus_kind(value)
        else:
            tags["exported_name" if key == "name" else legal_text(key)] = legal_text(value)
    return tags


def labels_in(data: bytes) -> list[tuple[str, str]]:
    """Read the Label messages of (a part of) a TimeSeries message.

    Raises:
        DecodeError: A label is cut or not UTF-8.
    """
    labels: list[tuple[str, str]] = []
    at = 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            if key & 7 == _BYTES:
                length, at = _varint(data, at)
                if key == 1 << 3 | _BYTES:
                    labels.append(_label(data, at, at + length))
                at += length
            else:
                at = _varint(data, at)[1] if key & 7 == 0 else at + (8 if key & 7 == 1 else 4)
    except (IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"a label of the write request is damaged: {error}") from error
    return labels


def _label(data: bytes, at: int, end: int) -> tuple[str, str]:
    parts = {1: "", 2: ""}
    while at < end:
        key, at = _varint(data, at)
        length, at = _varint(data, at)
        if key & 7 != _BYTES or at + length > end:
            raise IndexError(f"field {key >> 3} at byte {at}")
        parts[key >> 3] = data[at : at + length].decode()
        at += length
    return parts[1], parts[2]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    result, shift = byte & 0x7F, 7
    while byte >= 0x80:
        at += 1
        byte = data[at]
        result |= (byte & 0x7F) << shift
        shift += 7
    return result, at + 1
