"""Where moments of a wall clock lie in UTC, through every change of the clocks.

Boundaries are made as local dates and times and turned into UTC once; all arithmetic after that is
in UTC, since aware times of one zone subtract as if no clock ever changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000


def epoch_ms(day: date, moment: time, zone: ZoneInfo) -> int:
    """Return when a wall clock shows ``moment`` on ``day``, epoch milliseconds.

    A time that the clocks skip is as far behind the change as it would be; of one that they show
    twice it is the first (PEP 495, fold 0).

    >>> epoch_ms(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin")) // 60_000 % 60
    30
    """
    local = datetime.combine(day, moment, tzinfo=zone)
    return int(local.astimezone(UTC).timestamp() * 1_000)


def local_date(at_ms: int, zone: ZoneInfo) -> date:
    """Return the day that a calendar on the wall shows."""
    return local(at_ms, zone).date()


def local(at_ms: int, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows."""
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).astimezone(zone)


def days(first: date, last: date) -> Iterator[date]:
    """Yield the days from ``first`` to ``last``, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
