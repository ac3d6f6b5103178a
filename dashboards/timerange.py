"""Which stretch of time a page shows: relative and live, around an incident, or pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from tocsin.client.shapes import Incident
from tocsin.client.wording import period

RELATIVE = {"5 min": 5, "15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1_440, "7 d": 10_080}
AROUND = "Incident"
USUAL = "15 min"
_MARGIN_MS = 3 * 60_000
_MIN_PIN_MS = 2_000
MAX_SPAN_MS = 400 * 86_400_000
"""Longest stretch that is asked for at once."""
_AGO = re.compile(r"now(?:\s*-\s*(\d{1,6})\s*(s|m|min|h|d|w))?")
_AGO_MS = {"s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_AGO_MS |= {"w": 604_800_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Start and end as the graph API takes them: epoch milliseconds or relative to the end.

    Attributes:
        start: For example ``e-15m`` or 1700000000000.
        end: For example ``now`` or 1700000300000.
        live: Whether new data can still fall into it.
        paused: Whether the reader wants it to stand still.
        words: The range as people read it.
    """

    start: str | int
    end: str | int
    live: bool
    words: str
    paused: bool = False

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """Both ends when they are fixed."""
        if isinstance(self.start, int) and isinstance(self.end, int):
            return self.start, self.end
        return None

    def ends_ms(self, now_ms: int) -> tuple[int, int]:
        """Return both ends at a moment, epoch milliseconds.

        >>> relative("5 min").ends_ms(1_700_000_300_000)
        (1700000000000, 1700000300000)
        """
        end_ms = self.end if isinstance(self.end, int) else now_ms
        if isinstance(self.start, int):
            return self.start, end_ms
        return end_ms - int(self.start[2:-1]) * 60_000, end_ms


def relative(name: str) -> TimeRange:
    """Return one of :data:`RELATIVE` up to now; an unknown name means 15 minutes.

    >>> relative("1 h").start
    'e-60m'
    """
    known = name if name in RELATIVE else USUAL
    return TimeRange(start=f"e-{RELATIVE[known]}m", end="now", live=True, words=f"last {known}")


def around(incident: Incident, zone: tzinfo = UTC) -> TimeRange:
    """Return an incident's own stretch with three minutes on both sides."""
    began_ms = incident["impact_start_ms"] or incident["opened_ms"]
    start_ms = min(began_ms, incident["opened_ms"]) - _MARGIN_MS
    resolved_ms = incident["resolved_ms"]
    if resolved_ms is None:
        words = f"from {at(start_ms, zone)} until now"
        return TimeRange(start=start_ms, end="now", live=True, words=words)
    return _fixed(start_ms, resolved_ms + _MARGIN_MS, zone, paused=False)


def pin_of(span: TimeRange, now_ms: int) -> str:
    """Return the pin that makes a range stand still where it is now.

    >>> pin_of(relative("5 min"), 1_700_000_300_000)
    '1700000000000-1700000300000'
    """
    return as_pin(*span.ends_ms(now_ms))


def as_pin(start_ms: int, end_ms: int) -> str:
    """Return the pin of a stretch."""
    return f"{start_ms}-{end_ms}"


def parse_pin(text: str | None, zone: tzinfo = UTC) -> TimeRange | None:
    """Read a pinned range from the address, None when it says nothing sensible.

    >>> parse_pin("1700000000000-1700000060000").live
    False
    >>> parse_pin("nonsense") is None, parse_pin("0-1700000060000") is None
    (True, True)
    """
    start, _, end = (text or "").partition("-")
    if not (start.isdecimal() and end.isdecimal() and len(start) <= 15 and len(end) <= 15):
        return None
    if not _MIN_PIN_MS <= int(end) - int(start) <= MAX_SPAN_MS:
        return None
    return _fixed(int(start), int(end), zone, paused=True)


def wider(span: TimeRange, now_ms: int) -> str:
    """Return the pin of twice the stretch around the same middle, none of it to come.

    >>> wider(parse_pin("1700000000000-1700000060000"), 1_800_000_000_000)
    '1699999970000-1700000090000'
    >>> wider(relative("5 min"), 1_700_000_300_000)
    '1699999700000-1700000300000'
    """
    start_ms, end_ms = span.ends_ms(now_ms)
    half_ms = (end_ms - start_ms) // 2
    start_ms, end_ms = start_ms - half_ms, end_ms + half_ms
    beyond_ms = max(0, end_ms - max(now_ms, span.ends_ms(now_ms)[1]))
    start_ms, end_ms = start_ms - beyond_ms, end_ms - beyond_ms
    return as_pin(max(start_ms, end_ms - MAX_SPAN_MS), end_ms)


def next_relative(name: str) -> str | None:
    """Return the next longer of the relative ranges, None if there is none.

    >>> next_relative("15 min"), next_relative("7 d"), next_relative("Incident")
    ('1 h', None, None)
    """
    names = list(RELATIVE)
    if name not in names or names.index(name) + 1 == len(names):
        return None
    return names[names.index(name) + 1]


def moment_of(text: str, now_ms: int, zone: tzinfo = UTC) -> int | None:
    """Read a moment that a person wrote, None if it is none.

    Args:
        text: ``now``, ``now-2h``, ``10:42``, ``2026-12-01 10:42`` or ISO 8601 with an offset.
        now_ms: The present; a time of day is the last one that has been.
        zone: Whose clock is meant where none is written.

    >>> now_ms = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
    >>> moment_of("now-2h", now_ms), moment_of("22:13", now_ms), moment_of("23:00", now_ms)
    (1699992800000, 1699999980000, 1699916400000)
    >>> moment_of("2023-11-14 22:13:20", now_ms), moment_of("soon", now_ms)
    (1700000000000, None)
    """
    text = text.strip().lower()
    if found := _AGO.fullmatch(text):
        return now_ms - (int(found[1]) * _AGO_MS[found[2]] if found[1] else 0)
    now = datetime.fromtimestamp(now_ms / 1_000, tz=zone)
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            today = f"{now:%Y-%m-%d} {text.zfill(len(text) + (text.index(':') == 1))}"
            at_ms = _ms(datetime.fromisoformat(today).replace(tzinfo=zone))
            return at_ms if at_ms <= now_ms else at_ms - 86_400_000
        told = datetime.fromisoformat(text.replace(" utc", "+00:00").upper())
        return _ms(told if told.tzinfo else told.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None


def at(time_ms: int, zone: tzinfo = UTC) -> str:
    """Word a moment with its date in a zone.

    >>> at(1_700_000_000_000)
    '2023-11-14 22:13:20 UTC'
    """
    told = datetime.fromtimestamp(time_ms / 1_000, tz=zone)
    return f"{told:%Y-%m-%d %H:%M:%S} {told.tzname()}"


def stretch(start_ms: int, end_ms: int, zone: tzinfo = UTC) -> str:
    """Word a stretch: the times of day within one day, otherwise both dates.

    >>> stretch(1_700_000_000_000, 1_700_000_060_000)
    '22:13:20–22:14:20 UTC'
    >>> stretch(1_700_000_000_000, 1_700_086_400_000)
    '2023-11-14 22:13 – 2023-11-15 22:13 UTC'
    """
    first, last = (datetime.fromtimestamp(ms / 1_000, tz=zone) for ms in (start_ms, end_ms))
    if first.date() != last.date():
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M} {last.tzname()}"
    if zone is UTC:
        return period(start_ms, end_ms)
    return f"{first:%H:%M:%S}–{last:%H:%M:%S} {last.tzname()}"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _fixed(start_ms: int, end_ms: int, zone: tzinfo, *, paused: bool) -> TimeRange:
    words = stretch(start_ms, end_ms, zone)
    return TimeRange(start=start_ms, end=end_ms, live=False, words=words, paused=paused)
