"""Reading ``intervals.yaml``: Alertmanager's ``time_intervals``, by name."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import PlainValidator, WithJsonSchema

from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section, WrongValueError
from collectors.documents.values import OneOrMore, Words, at_least_one, read_text
from collectors.errors import DocumentError
from runbooks.alerts.intervals import UTC, Period, Range, TimeInterval
from runbooks.oncall.zones import Zone

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,4}", re.ASCII)
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_DAY = 'a day of the month such as "1", "1:5" or "-3:-1"'
_WEEKDAY = "a weekday such as monday, or monday:friday"
_MONTH = 'a month such as january, "1", or march:may'
_YEAR = 'a year such as "2026", or "2026:2028"'


def _read_clock(raw: object) -> int:
    found = _CLOCK.fullmatch(read_text(raw))
    if found is None:
        raise WrongValueError('a time such as "09:00" or "24:00"')
    return 24 * 60 if found[1] is None else int(found[1]) * 60 + int(found[2])


def _read_range(raw: object, *, wanted: str, one: Callable[[str], int | None]) -> Range:
    first, colon, last = read_text(raw).strip().lower().partition(":")
    ends = one(first), one(last if colon else first)
    if ends[0] is None or ends[1] is None:
        raise WrongValueError(wanted)
    # Of opposite signs they depend on the length of the month.
    if ends[0] > ends[1] and (ends[0] > 0) == (ends[1] > 0):
        raise WrongValueError(wanted, "the first must not be after the last")
    return ends[0], ends[1]


def _number(text: str, low: int, high: int) -> int | None:
    number = int(text) if _NUMBER.fullmatch(text) else low - 1
    return number if low <= number <= high else None


def _day(text: str) -> int | None:
    return _number(text, -31, 31) or None


def _weekday(text: str) -> int | None:
    return _WEEKDAYS.index(text) if text in _WEEKDAYS else None


def _month(text: str) -> int | None:
    return _MONTHS.index(text) + 1 if text in _MONTHS else _number(text, 1, 12)


def _year(text: str) -> int | None:
    return _number(text, 1970, 9999)


def _ranges(wanted: str, one: Callable[[str], int | None]) -> PlainValidator:
    return PlainValidator(partial(_read_range, wanted=wanted, one=one))


_SPAN = WithJsonSchema({"type": ["string", "integer"]})
_Clock = Annotated[int, PlainValidator(_read_clock), WithJsonSchema({"type": "string"})]
_Days = Annotated[tuple[Annotated[Range, _ranges(_DAY, _day), _SPAN], ...], OneOrMore]
_Weekdays = Annotated[tuple[Annotated[Range, _ranges(_WEEKDAY, _weekday), _SPAN], ...], OneOrMore]
_Months = Annotated[tuple[Annotated[Range, _ranges(_MONTH, _month), _SPAN], ...], OneOrMore]
_Years = Annotated[tuple[Annotated[Range, _ranges(_YEAR, _year), _SPAN], ...], OneOrMore]


class TimesShape(Section):
    """A part of the day."""

    start_time: _Clock
    """Local time, `"09:00"`."""
    end_time: _Clock
    """Local time, not included; `"24:00"` is the end of the day."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that it ends before it begins."""
        del context
        if self.end_time <= self.start_time:
            hint = "what goes past midnight is two: until 24:00, and from 00:00"
            yield self.at("end_time").error(f"must be after start_time; {hint}")


class PeriodShape(Section):
    """Times at which everything fits that is given; nothing given is always."""

    times: tuple[TimesShape, ...] = ()
    """Parts of the day."""
    weekdays: _Weekdays = ()
    """`monday`, `monday:friday`; the week begins with Sunday."""
    days_of_month: _Days = ()
    """`"1"`, `"1:7"`, `"-1"` for the last."""
    months: _Months = ()
    """`january`, `"1"`, `march:may`."""
    years: _Years = ()
    """`"2026"`, `"2026:2028"`."""
    location: Zone = UTC
    """In which all of these are, such as `Europe/Berlin`. Without it UTC."""


class TimeIntervalShape(Section):
    """A name for times."""

    name: Words
    """By which routes and windows name it; each only once."""
    time_intervals: Annotated[tuple[PeriodShape, ...], at_least_one("has no times")]
    """Of several one is enough."""


class IntervalsFile(Section):
    """`intervals.yaml`: names for times at which routes are mute or active."""

    time_intervals: Annotated[tuple[TimeIntervalShape, ...], at_least_one("names no interval")]
    """All of them, in Alertmanager's form."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield names that two intervals have."""
        del context
        names: set[str] = set()
        for index, one in enumerate(self.time_intervals):
            if one.name in names:
                place = self.at("time_intervals", index, "name")
                yield place.error(f"two intervals are called {one.name!r}")
            names.add(one.name)


def load_intervals(path: Path) -> Mapping[str, TimeInterval]:
    """Read ``intervals.yaml``; return intervals by name.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, IntervalsFile)
    return {
        one.name: TimeInterval(name=one.name, periods=_periods(one.time_intervals))
        for one in shape.time_intervals
    }


def _periods(shapes: Sequence[PeriodShape]) -> tuple[Period, ...]:
    return tuple(
        Period(
            times=tuple((times.start_time, times.end_time) for times in shape.times),
            weekdays=shape.weekdays,
            days=shape.days_of_month,
            months=shape.months,
            years=shape.years,
            zone=ZoneInfo(shape.location.key),
        )
        for shape in shapes
    )
