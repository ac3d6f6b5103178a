"""Moments as people write them: epoch milliseconds, ISO 8601, or so long ago or ahead. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time

from collectors.errors import InputError

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_RELATIVE = re.compile(r"([+-])(\d{1,6})([smhdw])")
_EXAMPLE = "write 2026-03-01T14:05:00Z, epoch milliseconds, or -10m"


def read_moment(name: str, text: str, now_ms: int) -> int:
    """Return the moment that ``text`` says, epoch milliseconds.

    A date alone is the end of that day, UTC: who is to be done by Friday has the Friday.

    >>> read_moment("at", "-10m", 1_700_000_000_000)
    1699999400000
    >>> read_moment("at", "2023-11-14T22:13:20Z", 0)
    1700000000000

    Args:
        name: Of the field, for the message.
        text: What was written.
        now_ms: The present, epoch milliseconds.

    Raises:
        InputError: It is no moment, or has a time of day without a zone.
    """
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    if relative := _RELATIVE.fullmatch(text):
        length_ms = int(relative[2]) * _UNIT_MS[relative[3]]
        return now_ms + (length_ms if relative[1] == "+" else -length_ms)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{name} {text[:50]!r} is no moment; {_EXAMPLE}") from None
    if len(text) == len("2026-03-01"):
        moment = datetime.combine(moment.date(), time(23, 59, 59), UTC)
    if moment.tzinfo is None:
        raise InputError(f"{name} {text[:50]!r} has no time zone; {_EXAMPLE}")
    return int(moment.timestamp() * 1_000)
