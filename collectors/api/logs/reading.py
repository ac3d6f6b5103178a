"""Reading a request for log records."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collectors.api.parameters import Parameters, refuse
from collectors.log_batch import Severity, severity_named
from collectors.logs.search import MAX_LIMIT, NANOS_PER_MS, Cursor, LogSearch
from collectors.logs.words import phrases_of

DEFAULT_LIMIT = 100
MAX_TEXT = 1_000
MAX_PHRASES = 16
MAX_TIME_MS = 253_402_300_799_999
_HEX = re.compile(r"[0-9a-fA-F]{1,32}\Z")
_CURSOR = re.compile(r"(\d{1,19})-(-?\d{1,18})\Z")
_HIGHEST = 24


def read_log_search(parameters: Parameters) -> LogSearch:
    """Read the conditions of a search for lines; refuse what can't be used, by name."""
    start_ms = parameters.integer("start_ms", 0, low=0, high=MAX_TIME_MS)
    end_ms = parameters.integer("end_ms", -1, low=-1, high=MAX_TIME_MS)
    if 0 <= end_ms < start_ms:
        raise refuse(f"end_ms {end_ms} is before start_ms {start_ms}")
    phrases = phrases_of((parameters.text("text") or "")[:MAX_TEXT])
    if len(phrases) > MAX_PHRASES:
        raise refuse(f"parameter 'text' has {len(phrases)} words or phrases, at most {MAX_PHRASES}")
    most_ns = 2**63 - 1
    return LogSearch(
        start_ns=min(start_ms * NANOS_PER_MS, most_ns),
        end_ns=most_ns if end_ms < 0 else min(end_ms * NANOS_PER_MS, most_ns),
        services=tuple(name[:MAX_TEXT] for name in parameters.all("service") if name),
        severity=_read_severity(parameters.text("severity") or ""),
        phrases=tuple(phrases),
        attributes=dict(map(_read_attribute, parameters.all("attribute"))),
        trace_ids=_read_traces(parameters.all("trace_id")),
        span_id=_read_id(parameters.text("span_id") or "", "span_id", 16),
        pattern=(parameters.text("pattern") or "")[:MAX_TEXT],
        before=_read_cursor(parameters.text("before")),
        limit=parameters.integer("limit", DEFAULT_LIMIT, low=1, high=MAX_LIMIT),
    )


def _read_severity(given: str) -> int:
    """Return the least severity number that a name or a number asks for."""
    if not given:
        return 0
    if given.isascii() and given.isdigit() and len(given) <= 2 and int(given) <= _HIGHEST:
        return int(given)
    band = severity_named(given)
    if band is Severity.UNSET:
        raise refuse(
            f"parameter 'severity' must be trace, debug, info, warn, error, fatal or a number up"
            f" to {_HIGHEST}, got '{given[:80]}'"
        )
    return int(band)


def _read_attribute(given: str) -> tuple[str, str]:
    key, colon, value = given[:MAX_TEXT].partition(":")
    if not colon or not key:
        raise refuse(f"parameter 'attribute' must be key:value, got '{given[:80]}'")
    return key, value


def _read_traces(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(_read_id(one, "trace_id", 32) for one in given if one)


def _read_id(given: str, name: str, digits: int) -> str:
    if given and (not _HEX.match(given) or len(given) > digits):
        raise refuse(f"parameter '{name}' must be up to {digits} hex digits, got '{given[:80]}'")
    return given.lower().zfill(digits) if given else ""


def _read_cursor(given: str | None) -> Cursor | None:
    if not given:
        return None
    match = _CURSOR.match(given)
    if match is None:
        raise refuse(f"parameter 'before' is what an answer said under 'next', got '{given[:80]}'")
    return Cursor(int(match[1]), int(match[2]))
