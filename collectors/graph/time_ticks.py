"""Where a time axis is marked, in the wall-clock time of a zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY
_MONTHS = (1, 2, 3, 6)
_LAST_YEAR = 9_000

# (major, minor) in milliseconds, all dividing a day.
_WITHIN_DAY = (
    *((_SECOND, _SECOND), (5 * _SECOND, _SECOND), (10 * _SECOND, _SECOND)),
    *((30 * _SECOND, 5 * _SECOND), (_MINUTE, 10 * _SECOND), (2 * _MINUTE, 30 * _SECOND)),
    *((5 * _MINUTE, _MINUTE), (10 * _MINUTE, 2 * _MINUTE), (15 * _MINUTE, 5 * _MINUTE)),
    *((30 * _MINUTE, 5 * _MINUTE), (_HOUR, 10 * _MINUTE), (2 * _HOUR, 30 * _MINUTE)),
    *((3 * _HOUR, _HOUR), (4 * _HOUR, _HOUR), (6 * _HOUR, _HOUR), (12 * _HOUR, 2 * _HOUR)),
)
_DAYS = (1, 2, 4, 7, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTick:
    """A mark at ``time_ms``; ``change`` marks the first one after clocks were changed."""

    time_ms: int
    label: str
    major: bool
    change: bool = False


def time_ticks(start_ms: int, end_ms: int, zone: tzinfo, wanted: int) -> list[TimeTick]:
    """Return the marks within [start_ms, end_ms], at most about ``wanted`` of them major."""
    rough = (end_ms - start_ms) / max(1, wanted)
    within_day = next(((a, b) for a, b in _WITHIN_DAY if a >= rough), None)
    if within_day is not None:
        return _with_changes(_aligned(start_ms, end_ms, zone, *within_day), zone)
    days = next((d for d in _DAYS if d * _DAY >= rough), None)
    dates = _dates(start_ms, end_ms, zone, days, rough)
    ticks = [_tick(t, zone, within=False) for t in dates]
    # Over months an hour is less than a pixel: the date is worth more than the clock change.
    return ticks if days is None else _with_changes(ticks, zone)


def _aligned(start_ms: int, end_ms: int, zone: tzinfo, major: int, minor: int) -> list[TimeTick]:
    # Marks fall on round wall-clock times: a zone of +05:30 shifts them by half an hour, and where
    # clocks change the grid is found again.
    ticks = []
    time_ms = start_ms
    while time_ms <= end_ms:
        local = time_ms + _offset_ms(time_ms, zone)
        behind = local % minor
        if behind:
            time_ms += minor - behind
            continue
        plain = TimeTick(time_ms=time_ms, label="", major=False)
        ticks.append(plain if local % major else _tick(time_ms, zone, within=True))
        time_ms += minor
    return ticks


def _dates(
    start_ms: int, end_ms: int, zone: tzinfo, days: int | None, rough: float
) -> Iterator[int]:
    day = _local(start_ms, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    months = next((m for m in _MONTHS if m * 30 * _DAY >= rough), None)
    years = max(1, round(rough / _YEAR))
    while day.year < _LAST_YEAR:
        time_ms = _to_ms(day)
        if time_ms > end_ms:
            return
        if days is not None:
            due = day.toordinal() % days == 0
            following = (day + timedelta(days=1)).replace(fold=0)
        elif months is not None:
            due = day.day == 1 and (day.month - 1) % months == 0
            following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            due = day.day == 1 and day.month == 1 and day.year % years == 0
            following = day.replace(year=day.year + 1, month=1, day=1)
        if due and time_ms >= start_ms:
            yield time_ms
        day = following


def _tick(time_ms: int, zone: tzinfo, *, within: bool) -> TimeTick:
    local = _local(time_ms, zone)
    if local.second:
        label = f":{local.second:02d}"
    elif local.hour or local.minute:
        label = f"{local.hour:02d}:{local.minute:02d}"
    elif local.day != 1 or within:
        label = f"{local:%b%d}"
    elif local.month != 1:
        label = f"{local:%b}"
    else:
        label = f"{local.year}"
    return TimeTick(time_ms=time_ms, label=label, major=True)


def _with_changes(ticks: list[TimeTick], zone: tzinfo) -> list[TimeTick]:
    result = []
    previous: int | None = None
    for tick in ticks:
        marked = tick
        if tick.major:
            offset = _offset_ms(tick.time_ms, zone)
            if previous is not None and offset != previous:
                label = _change_label(offset - previous)
                marked = TimeTick(time_ms=tick.time_ms, label=label, major=True, change=True)
            previous = offset
        result.append(marked)
    return result


def _change_label(delta_ms: int) -> str:
    sign = "+" if delta_ms > 0 else "-"
    hours, rest = divmod(abs(delta_ms), _HOUR)
    return f"{sign}{hours}H" if rest == 0 else f"{sign}{abs(delta_ms) // _MINUTE}M"


def _local(time_ms: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).astimezone(zone)


def _offset_ms(time_ms: int, zone: tzinfo) -> int:
    offset = _local(time_ms, zone).utcoffset() or timedelta()
    return round(offset.total_seconds()) * 1000


def _to_ms(local: datetime) -> int:
    return round(local.timestamp() * 1000)
