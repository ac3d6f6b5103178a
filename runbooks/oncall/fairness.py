"""What a schedule asks of people: gaps, hours, nights, weekends, and how evenly they are shared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from runbooks.oncall.local_time import epoch_ms, local_date
from runbooks.oncall.schedule import Schedule, Shift, shifts

_HOUR_MS = 3_600_000
_NIGHT = (time(22), time(6))
_WEEKEND = frozenset({5, 6})


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one person carries in a window.

    Attributes:
        person: Id.
        hours: On call.
        night_hours: Of them from 22:00 to 06:00, local.
        weekend_hours: Of them on Saturday and Sunday, local.
    """

    person: str
    hours: float
    night_hours: float
    weekend_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well a schedule covers a window.

    Attributes:
        gaps: When nobody is on call, [start, end) in epoch milliseconds.
        covered: Share of the window, 0 to 1.
        loads: Of each person, most first.
        balance: How evenly the hours are shared: the mean over all pairs of people of the smaller
            load over the larger, 1 when all carry the same; None for fewer than two people.
    """

    gaps: tuple[tuple[int, int], ...]
    covered: float
    loads: tuple[Load, ...]
    balance: float | None


def coverage(schedule: Schedule, start_ms: int, end_ms: int) -> Coverage:
    """Return how a window of ``end_ms - start_ms`` > 0 is covered."""
    found = shifts(schedule, start_ms, end_ms)
    gaps = tuple(_gaps(found, start_ms, end_ms))
    loads = _loads(schedule, found)
    uncovered_ms = sum(over_ms - begin_ms for begin_ms, over_ms in gaps)
    return Coverage(
        gaps=gaps,
        covered=1 - uncovered_ms / (end_ms - start_ms),
        loads=loads,
        balance=_balance([load.hours for load in loads]),
    )


def _gaps(found: Sequence[Shift], start_ms: int, end_ms: int) -> Iterator[tuple[int, int]]:
    at_ms = start_ms
    for shift in found:
        if shift.start_ms > at_ms:
            yield at_ms, shift.start_ms
        at_ms = shift.end_ms
    if at_ms < end_ms:
        yield at_ms, end_ms


def _loads(schedule: Schedule, found: Sequence[Shift]) -> tuple[Load, ...]:
    """Return the load of everybody in the schedule, those without a shift too."""
    people = [person for layer in schedule.layers for person in layer.people]
    hours: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for person in people:
        hours[person]
    for shift in found:
        carried = hours[shift.person]
        carried[0] += (shift.end_ms - shift.start_ms) / _HOUR_MS
        night, weekend = _special_hours(shift, schedule.zone)
        carried[1] += night
        carried[2] += weekend
    loads = [
        Load(person=who, hours=total, night_hours=night, weekend_hours=weekend)
        for who, (total, night, weekend) in hours.items()
    ]
    return tuple(sorted(loads, key=lambda load: (-load.hours, load.person)))


def _special_hours(shift: Shift, zone: ZoneInfo) -> tuple[float, float]:
    """Return the hours of a shift that are at night and at the weekend."""
    night = weekend = 0.0
    day = local_date(shift.start_ms, zone) - timedelta(days=1)
    while (midnight_ms := epoch_ms(day, time(0), zone)) < shift.end_ms:
        tomorrow = day + timedelta(days=1)
        night += _shared(shift, epoch_ms(day, _NIGHT[0], zone), epoch_ms(tomorrow, _NIGHT[1], zone))
        if day.weekday() in _WEEKEND:
            weekend += _shared(shift, midnight_ms, epoch_ms(tomorrow, time(0), zone))
        day = tomorrow
    return night, weekend


def _shared(shift: Shift, begin_ms: int, over_ms: int) -> float:
    return max(0, min(shift.end_ms, over_ms) - max(shift.start_ms, begin_ms)) / _HOUR_MS


def _balance(hours: Sequence[float]) -> float | None:
    pairs = [(min(pair), max(pair)) for pair in combinations(hours, 2)]
    shares = [low / high if high else 1.0 for low, high in pairs]
    return sum(shares) / len(shares) if shares else None
