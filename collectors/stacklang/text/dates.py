"""Points in time: ISO forms, epoch numbers of any magnitude, and times relative to a reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.errors import QueryError
from collectors.stacklang.text.durations import parse_duration
from collectors.stacklang.text.faults import illegal_argument, require

_RELATIVE = re.compile(r"([a-z]+)([-+])([^-+]+)")
_NAMED = re.compile(r"[a-z]+")
_EPOCH = re.compile(r"([0-9]{1,19})(?:([-+])([^-+]+))?")
_DATE_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?"
    r"(Z|[-+][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?"
)
# A number is taken for seconds, milliseconds, microseconds or nanoseconds by its magnitude; the
# year 2400 in one unit is soon after 1970 in the next.
_MAX_SECONDS = 2**31 - 1
_MAX_MILLIS = 13_569_465_600_000
_FIXED_ZONE = re.compile(r"(?:UTC|GMT|UT)?([-+][0-9]{1,2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)")
_MAX_ZONE_OFFSET = timedelta(hours=18)
_OWN_REFERENCES = frozenset({"now", "epoch"})
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS = 253_402_300_799_999  # end of the year 9999, what every calendar function can represent


def parse_zone(name: str) -> tzinfo:
    """Return the time zone called ``name``: a region, or an offset such as ``UTC+02:00``.

    Raises:
        QueryError: There is no such zone.
    """
    if name in {"UTC", "UT", "Z", "GMT"}:
        return UTC
    fixed = _FIXED_ZONE.fullmatch(name)
    if fixed:
        return _offset(fixed.group(1))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(f"Unknown time-zone ID: {name}", kind="ZoneRulesException") from None


def is_relative_date(text: str, *, custom: bool = False) -> bool:
    """Return whether ``text`` is a time with an offset, such as ``e-3h``.

    With ``custom`` references to ``now`` and ``epoch`` don't count.
    """
    found = _RELATIVE.fullmatch(text)
    return found is not None and (not custom or found.group(1) not in _OWN_REFERENCES)


def reference_point(text: str) -> str | None:
    """Return the name a time refers to, such as ``e`` for ``e-3h``; None for absolute times."""
    found = _RELATIVE.fullmatch(text)
    if found:
        return found.group(1)
    return text if _NAMED.fullmatch(text) else None


def parse_date(
    text: str, *, zone: tzinfo = UTC, references: Mapping[str, int] | None = None, now_ms: int = 0
) -> int:
    """Read a point in time.

    Args:
        text: ``2012-01-01T05:00``, ``1325394000``, ``now-3h``, ``s+1d`` and the like.
        zone: Assumed when the text does not name one.
        references: Times, epoch milliseconds, that the text may refer to by name.
        now_ms: What ``now`` means.

    Returns:
        Epoch milliseconds.

    Raises:
        QueryError: Not a time, or it refers to an unknown name.
    """
    known = {"now": now_ms, "epoch": 0, **(references or {})}
    relative = _RELATIVE.fullmatch(text)
    if relative:
        name, sign, period = relative.groups()
        return _in_range(text, _shifted(_named(name, known, text), sign, period))
    if _NAMED.fullmatch(text):
        return _named(text, known, text)
    epoch = None if _DATE_START.match(text) else _EPOCH.fullmatch(text)
    if epoch:
        number, sign, period = epoch.groups()
        return _in_range(text, _shifted(_epoch_ms(int(number)), sign, period))
    return _iso_ms(text, zone)


def time_range(start: str, end: str, *, zone: tzinfo = UTC, now_ms: int = 0) -> tuple[int, int]:
    """Read a start and an end of which one may be relative to the other.

    Returns:
        Start and end, epoch milliseconds, start at or before end.

    Raises:
        QueryError: Not times, relative to each other, or in the wrong order.
    """
    if is_relative_date(start, custom=True) or start in {"e", "end"}:
        require(not is_relative_date(end, custom=True), "start and end are both relative")
        end_ms = parse_date(end, zone=zone, now_ms=now_ms)
        ends = {"e": end_ms, "end": end_ms}
        start_ms = parse_date(start, zone=zone, references=ends, now_ms=now_ms)
    else:
        start_ms = parse_date(start, zone=zone, now_ms=now_ms)
        starts = {"s": start_ms, "start": start_ms}
        end_ms = parse_date(end, zone=zone, references=starts, now_ms=now_ms)
    require(start_ms <= end_ms, "end time is before start time")
    return start_ms, end_ms


def _shifted(time_ms: int, sign: str | None, period: str | None) -> int:
    if sign is None or period is None:
        return time_ms
    millis = parse_duration(period).millis
    return time_ms + millis if sign == "+" else time_ms - millis


def _named(name: str, known: Mapping[str, int], text: str) -> int:
    try:
        return known[name]
    except KeyError:
        raise illegal_argument(f"invalid date {text}, unknown reference '{name}'") from None


def _epoch_ms(value: int) -> int:
    if value <= _MAX_SECONDS:
        return value * 1_000
    if value <= _MAX_MILLIS:
        return value
    if value <= _MAX_MILLIS * 1_000:
        return value // 1_000
    return value // 1_000_000


def _in_range(text: str, millis: int) -> int:
    if abs(millis) > _MAX_MS:
        raise illegal_argument(f"invalid date {text}, out of range")
    return millis


def _iso_ms(text: str, zone: tzinfo) -> int:
    found = _ISO.fullmatch(text)
    if not found:
        raise illegal_argument(f"invalid date {text}")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    micros = int((found.group(7) or "").ljust(9, "0")[:6])
    where = _offset(found.group(8)) if found.group(8) else zone
    try:
        moment = datetime(year, month, day, hour, minute, second, micros, tzinfo=where)
        return (moment - _ZERO) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise illegal_argument(f"invalid date {text}") from None


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    # A single digit is an hour: +2 for +02.
    digits = digits.rjust(2, "0").ljust(6, "0")
    hours, minutes, seconds = (int(digits[i : i + 2]) for i in (0, 2, 4))
    delta = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if delta > _MAX_ZONE_OFFSET or max(minutes, seconds) > 59:
        raise illegal_argument(f"invalid date, zone offset {text} is beyond 18 hours")
    return timezone(-delta if text[0] == "-" else delta)
