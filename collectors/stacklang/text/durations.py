"""Lengths of time: ``5m``, ``2wk``, ``PT1H30M``, and their renderings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collectors.errors import QueryError
from collectors.stacklang.text.faults import illegal_argument

_NS = 1
_US = 1_000
_MS = 1_000_000
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_MAX_NANOS = (2**63 - 1) * _SECOND

_UNITS: dict[str, int] = {
    **dict.fromkeys(("nanoseconds", "nanosecond", "ns"), _NS),
    **dict.fromkeys(("microseconds", "microsecond", "us", "μs", "µs"), _US),
    **dict.fromkeys(("milliseconds", "millisecond", "ms"), _MS),
    **dict.fromkeys(("seconds", "second", "s"), _SECOND),
    **dict.fromkeys(("minutes", "minute", "min", "m"), _MINUTE),
    **dict.fromkeys(("hours", "hour", "h"), _HOUR),
    **dict.fromkeys(("days", "day", "d"), _DAY),
    **dict.fromkeys(("weeks", "week", "wk", "w"), 7 * _DAY),
    **dict.fromkeys(("months", "month"), 30 * _DAY),
    **dict.fromkeys(("years", "year", "y"), 365 * _DAY),
}
_SHORT_UNITS = (
    ("w", 7 * _DAY),
    ("d", _DAY),
    ("h", _HOUR),
    ("m", _MINUTE),
    ("s", _SECOND),
)
_AT = re.compile(r"([0-9]{1,19})([a-zμµ]+)")
_ISO = re.compile(
    r"([-+]?)P(?:([-+]?[0-9]+)D)?"
    r"(T(?:([-+]?[0-9]+)H)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)(?:[.,]([0-9]{0,9}))?S)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds; prints as ISO 8601 as ``java.time.Duration`` does.

    >>> str(Duration(90_000_000_000))
    'PT1M30S'
    """

    nanos: int = 0

    @property
    def millis(self) -> int:
        """Whole milliseconds."""
        return self.nanos // _MS

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __str__(self) -> str:
        if self.nanos == 0:
            return "PT0S"
        sign = -1 if self.nanos < 0 else 1
        hours, rest = divmod(abs(self.nanos), _HOUR)
        minutes, rest = divmod(rest, _MINUTE)
        seconds, fraction = divmod(rest, _SECOND)
        text = "PT"
        if hours:
            text += f"{sign * hours}H"
        if minutes:
            text += f"{sign * minutes}M"
        if seconds or fraction:
            text += _seconds_text(sign, seconds, fraction)
        return text


ZERO = Duration(0)


def _seconds_text(sign: int, seconds: int, fraction: int) -> str:
    minus = "-" if sign < 0 else ""
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{minus}{seconds}{digits}S"


def of_millis(millis: int) -> Duration:
    """Return a duration of ``millis`` milliseconds."""
    return Duration(millis * _MS)


def parse_duration(text: str) -> Duration:
    """Read ``42m``, ``42minutes``, ``PT42M`` and the like.

    Raises:
        QueryError: Not a duration, an unknown unit, or too long to represent.
    """
    found = _AT.fullmatch(text)
    if found:
        return _checked(text, _at_nanos(int(found.group(1)), found.group(2)))
    if text.startswith("P"):
        return _checked(text, _iso_nanos(text))
    raise illegal_argument(f"invalid period {text}")


def try_duration(text: str) -> Duration | None:
    """Like :func:`parse_duration`, but None instead of an error."""
    try:
        return parse_duration(text)
    except QueryError:
        return None


def short_text(duration: Duration) -> str:
    """Write with the largest unit that divides it, ``2w`` or ``5m``, else as ISO 8601."""
    for unit, nanos in _SHORT_UNITS:
        if duration.nanos % nanos == 0:
            return f"{duration.nanos // nanos}{unit}"
    return str(duration)


def _at_nanos(amount: int, unit: str) -> int:
    nanos = _UNITS.get(unit)
    if nanos is None:
        raise illegal_argument(f"unknown unit {unit}")
    return amount * nanos


def _iso_nanos(text: str) -> int:
    found = _ISO.fullmatch(text)
    if not found or len(text) < 3 or len(text) > 100 or text.upper().endswith("T"):
        raise QueryError(
            f"Text cannot be parsed to a Duration: {text[:100]}", kind="DateTimeParseException"
        )
    sign, days, _, hours, minutes, seconds, fraction = found.groups()
    nanos = int(days or 0) * _DAY + int(hours or 0) * _HOUR + int(minutes or 0) * _MINUTE
    nanos += int(seconds or 0) * _SECOND
    part = int((fraction or "").ljust(9, "0") or 0)
    nanos += -part if (seconds or "").startswith("-") else part
    return -nanos if sign == "-" else nanos


def _checked(text: str, nanos: int) -> Duration:
    if abs(nanos) > _MAX_NANOS:
        raise illegal_argument(f"invalid period {text}, value is too large")
    return Duration(nanos)
