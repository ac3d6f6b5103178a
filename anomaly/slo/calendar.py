"""Windows by the calendar: real months, days of 23 and 25 hours, each in its own time zone."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_DAYS = {"d": 1, "w": 7}
_SECONDS = {"m": 60, "h": 3_600}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarWindow:
    """Windows that follow each other from a first start on.

    Months are those of the calendar, counted from the start: what begins on the 31st begins on the
    last day of a shorter month, and on the 31st again after it. Days and weeks are those of the
    wall clock. Minutes and hours are lengths of time. Where clocks are put forward, a start that
    does not exist is as much later as they were.

    Attributes:
        start: The first start in wall time, without a zone.
        zone: Name of the IANA time zone.
        count: How many units a window is long.
        unit: One of m h d w M Q Y.
    """

    start: datetime
    zone: str
    count: int
    unit: str

    @property
    def first_ms(self) -> int:
        """When the first window begins, epoch milliseconds."""
        return self.begins_ms(0)

    def begins_ms(self, number: int) -> int:
        """Return when window ``number``, counted from 0, begins, epoch milliseconds.

        >>> window = CalendarWindow(
        ...     start=datetime(2024, 1, 31), zone="UTC", count=1, unit="M"
        ... )
        >>> [datetime.fromtimestamp(window.begins_ms(n) / 1_000, UTC).day for n in range(4)]
        [31, 29, 31, 30]
        """
        zone = ZoneInfo(self.zone)
        amount = number * self.count
        if self.unit in _SECONDS:
            first = self.start.replace(tzinfo=zone)
            return _ms(first) + amount * _SECONDS[self.unit] * 1_000
        if self.unit in _DAYS:
            wall = self.start + timedelta(days=amount * _DAYS[self.unit])
        else:
            wall = _months_later(self.start, amount * _MONTHS[self.unit])
        return _ms(wall.replace(tzinfo=zone))

    def around(self, time_ms: int) -> tuple[int, int] | None:
        """Return begin and end of the window that holds the step ending at ``time_ms``.

        Returns:
            Epoch milliseconds, ``begin < time_ms <= end``; None before the first window.
        """
        if time_ms <= self.first_ms:
            return None
        number = max(0, (time_ms - 1 - self.first_ms) // self.longest_ms())
        while self.begins_ms(number + 1) < time_ms:
            number += 1
        return self.begins_ms(number), self.begins_ms(number + 1)

    def longest_ms(self) -> int:
        """Return a length, milliseconds, that no window is longer than."""
        if self.unit in _SECONDS:
            return self.count * _SECONDS[self.unit] * 1_000
        if self.unit in _DAYS:
            days = self.count * _DAYS[self.unit]
        else:
            # Months of 31 days at most, years of 366: an estimate that never passes the window.
            days = self.count * _MONTHS[self.unit] * 31
        return (days * 24 + 2) * 3_600_000


def _months_later(start: datetime, months: int) -> datetime:
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1_000)
