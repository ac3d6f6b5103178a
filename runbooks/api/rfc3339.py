"""Moments as Alertmanager's API writes and reads them: RFC 3339, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from collectors.errors import InputError

_LATEST_MS = 253_402_300_799_000


def rfc3339(time_ms: int) -> str:
    """Return a moment with its milliseconds.

    >>> rfc3339(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    moment = datetime.fromtimestamp(min(max(time_ms, 0), _LATEST_MS) / 1_000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1_000:03d}Z"


def moment_ms(given: object, name: str) -> int | None:
    """Return epoch milliseconds; None where nothing is given, or the zero time of Go.

    >>> moment_ms("2023-11-14T22:13:20.123456789Z", "startsAt")
    1700000000123
    >>> moment_ms("0001-01-01T00:00:00Z", "endsAt")

    Args:
        given: What a client sent.
        name: Of the field.

    Raises:
        InputError: It is no moment.
    """
    if given is None or given == "":
        return None
    try:
        moment = datetime.fromisoformat(given[:40]) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        text = f"{str(given)[:40]!r} of {name!r} is no time"
        raise InputError(f"{text}; write RFC 3339 such as 2026-11-22T14:00:00Z")
    if moment.year <= 1:
        return None
    return int(moment.timestamp() * 1_000)
