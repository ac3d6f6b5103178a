"""Times that repeat, as Alertmanager's ``time_intervals`` name them. Pure.

Semantics of ``timeinterval/timeinterval.go``: within a period every field that is given must fit,
within a field one of its ranges; of several periods one is enough.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from runbooks.oncall.local_time import local

UTC = ZoneInfo("UTC")
Range = tuple[int, int]
"""The first and the last, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One of the times of an interval; an empty field fits always.

    Attributes:
        times: Minutes of the day; the last is not included.
        weekdays: 0 is Sunday.
        days: Of the month; -1 is its last.
        months: 1 is January.
        years: As written.
        zone: In which all of these are.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    zone: ZoneInfo = UTC

    def contains(self, at_ms: int) -> bool:
        """Whether a moment, epoch milliseconds, lies within."""
        seen = local(at_ms, self.zone)
        minute = seen.hour * 60 + seen.minute
        return (
            (not self.times or any(start <= minute < end for start, end in self.times))
            and _within(seen.isoweekday() % 7, self.weekdays)
            and (not self.days or any(_day_within(seen, range_) for range_ in self.days))
            and _within(seen.month, self.months)
            and _within(seen.year, self.years)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInterval:
    """A name for times."""

    name: str
    periods: tuple[Period, ...]

    def contains(self, at_ms: int) -> bool:
        """Whether a moment, epoch milliseconds, lies within."""
        return any(period.contains(at_ms) for period in self.periods)


def _within(value: int, ranges: Iterable[Range]) -> bool:
    ranges = tuple(ranges)
    return not ranges or any(first <= value <= last for first, last in ranges)


def _day_within(seen: datetime, range_: Range) -> bool:
    """Whether a day lies in a range of days; its ends may count from the month's end."""
    days = calendar.monthrange(seen.year, seen.month)[1]
    first, last = (end if end > 0 else days + end + 1 for end in range_)
    return first <= days and first <= seen.day <= min(last, days)
