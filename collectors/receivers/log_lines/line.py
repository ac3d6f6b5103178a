"""One JSON object → one log record, by the names that loggers use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, LogOrigin, pack, pack_pair, severity_named

TIMES = ("timestamp", "time", "@timestamp", "ts")
LEVELS = ("severity", "level", "log.level", "levelname", "lvl")
TEXTS = ("message", "msg", "body", "event")
SERVICES = ("service.name", "service", "app", "application")
TRACES = ("trace_id", "traceId", "trace.id", "otelTraceID")
SPANS = ("span_id", "spanId", "span.id", "otelSpanID")
FLAGS = ("trace_flags", "traceFlags", "otelTraceSampled")
MAX_FLATTENED = 4
"""Levels of objects within objects that become attributes with dots; deeper ones stay JSON."""
UNKNOWN = "unknown_service"
_NEWEST_NS = 2**63 - 1
_HEX = frozenset("0123456789abcdef")
_MAX_SERVICE_CHARS = 255
_MAX_LEVEL_CHARS = 64


def add_line(document: object, columns: LogColumns, limits: Limits, service: str) -> bool:
    """Add the record of one object; return whether its text was cut.

    Args:
        document: The object.
        columns: Where it is added.
        limits: Bounds on texts and attributes.
        service: Whose it is when it does not say.

    Raises:
        DecodeError: It is no object, its time can't be read, or a value has no text.
    """
    if not isinstance(document, dict):
        raise DecodeError(f"a line is a JSON object, not {type(document).__name__}")
    rest = dict(document)
    time_ns = read_time_ns(_first(rest, TIMES))
    level = _first(rest, LEVELS)
    body = _text(_first(rest, TEXTS))
    found = _text(_first(rest, SERVICES)) or service or UNKNOWN
    trace_id, span_id = _identifier(_first(rest, TRACES), 32), _identifier(_first(rest, SPANS), 16)
    flags = _flags(_first(rest, FLAGS))
    flat = _flat(rest, "", MAX_FLATTENED)
    pairs = [
        pack_pair(key[: limits.max_tag_value_chars], value[: limits.max_attribute_chars])
        for (key, value), _ in zip(flat, range(limits.max_span_attributes), strict=False)
    ]
    number = level if isinstance(level, int) and 0 < level <= 24 else severity_named(_text(level))
    name = found[:_MAX_SERVICE_CHARS]
    columns.add(
        LogOrigin(service=name, resource=pack({"service.name": name})),
        time_ns,
        severity=int(number),
        level="" if isinstance(level, int) else _text(level)[:_MAX_LEVEL_CHARS],
        body=body[: limits.max_log_chars],
        attributes="\x1e".join(pairs),
        trace_id=trace_id,
        span_id=span_id if trace_id else "",
        flags=flags if trace_id else 0,
    )
    return len(body) > limits.max_log_chars


def read_time_ns(value: object) -> int:
    """Return nanoseconds since the epoch of a time as loggers write it; 0 for none.

    Numbers are seconds, milliseconds, microseconds or nanoseconds, whichever puts them after 2001
    and before 2286.

    >>> read_time_ns("2026-11-30T20:00:00.5Z"), read_time_ns(1_796_068_800), read_time_ns(None)
    (1796068800500000000, 1796068800000000000, 0)

    Raises:
        DecodeError: It is no time.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise DecodeError(
                f"time {value[:60]!r} is neither RFC 3339 nor a number since the epoch"
            ) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        whole_s = int(moment.replace(microsecond=0).timestamp())
        return _bounded(whole_s * 1_000_000_000 + moment.microsecond * 1_000, value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DecodeError(f"time {value!r:.60} is neither RFC 3339 nor a number since the epoch")
    unit = 1_000_000_000
    while unit > 1 and abs(value) >= 1e19 / unit:
        unit //= 1_000
    return _bounded(int(value * unit), value)


def _bounded(time_ns: int, value: object) -> int:
    if not 0 < time_ns <= _NEWEST_NS:
        raise DecodeError(f"time {value!r:.60} is before 1970 or after 2262")
    return time_ns


def _first(document: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Take the first of ``names`` out of an object."""
    for name in names:
        if name in document:
            return document.pop(name)
    return None


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return "" if value is None else orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError as error:
        raise DecodeError(f"a value can't be kept as text: {error}") from error


def _identifier(value: object, digits: int) -> str:
    text = value.lower().replace("-", "") if isinstance(value, str) else ""
    return text if len(text) == digits and _HEX.issuperset(text) and text.strip("0") else ""


def _flags(value: object) -> int:
    """Return the flags of a trace: a number, whether it is sampled, or two hex digits."""
    if isinstance(value, str):
        return int(value, 16) if len(value) == 2 and _HEX.issuperset(value.lower()) else 0
    return value & 0xFF if isinstance(value, int) else 0


def _flat(document: Mapping[str, Any], prefix: str, levels: int) -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        if isinstance(value, dict) and levels > 1:
            yield from _flat(value, f"{prefix}{key}.", levels - 1)
        elif value is not None:
            yield f"{prefix}{key}", _text(value)
