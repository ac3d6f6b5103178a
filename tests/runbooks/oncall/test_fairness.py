"""Gaps, loads and calendars of schedules."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from runbooks.oncall.calendar import as_calendar
from runbooks.oncall.fairness import Load, coverage
from runbooks.oncall.local_time import epoch_ms
from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Hours, Layer, Override, Schedule, shifts

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 2, 2)


def at(day: int, hour: int = 0) -> int:
    return epoch_ms(date(2026, 2, day), time(hour), BERLIN)


def schedule(
    *people: str, hours: tuple[Hours, ...] = (), overrides: tuple[Override, ...] = ()
) -> Schedule:
    layer = Layer(name="l", people=people, since=MONDAY, handoff=time(0), every_days=1, hours=hours)
    return Schedule(name="pay", title="Pay; all", zone=BERLIN, layers=(layer,), overrides=overrides)


def test_gaps_and_the_share_that_is_covered() -> None:
    """A hole is found before an outage finds it."""
    days = Hours(weekdays=frozenset(range(7)), since=time(6), until=time(18))
    found = coverage(schedule("ana", hours=(days,)), at(2), at(4))
    assert found.gaps == ((at(2), at(2, 6)), (at(2, 18), at(3, 6)), (at(3, 18), at(4)))
    assert found.covered == 0.5
    assert found.balance is None


def test_nights_and_weekends_are_counted_apart() -> None:
    """Two people with the same hours may carry very different weeks."""
    found = coverage(schedule("ana", "ben"), at(2), at(9))  # Monday to Sunday
    assert found.loads == (
        Load(person="ana", hours=96, night_hours=32, weekend_hours=24),
        Load(person="ben", hours=72, night_hours=24, weekend_hours=24),
    )
    assert found.balance == pytest.approx(0.75)


def test_who_has_no_shift_is_listed_too() -> None:
    """A schedule that spares somebody altogether would look even among the rest."""
    always = Override(person="cy", start_ms=at(2), end_ms=at(9))
    found = coverage(schedule("ana", overrides=(always,)), at(2), at(9))
    assert [(load.person, load.hours) for load in found.loads] == [("cy", 168.0), ("ana", 0.0)]
    assert found.balance == 0.0


def test_a_calendar_of_shifts() -> None:
    """Lines end in CRLF, are folded at 75 bytes and escape what has a meaning."""
    swap = Override(person="ben", start_ms=at(3), end_ms=at(4), reason="swap, " + "ü" * 60)
    rota = schedule("ana", overrides=(swap,))
    ben = Person(id="ben", name="Ben; B", email="ben@example.com")

    text = as_calendar(rota, shifts(rota, at(2), at(4)), {"ben": ben}, at(1))

    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    unfolded = text.replace("\r\n ", "").split("\r\n")
    assert unfolded[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert "SUMMARY:On call: Ben\\; B (Pay\\; all)" in unfolded
    assert "DTSTART:20260202T230000Z" in unfolded
    assert f"DESCRIPTION:swap\\, {'ü' * 60}" in unfolded
    assert "SUMMARY:On call: ana (Pay\\; all)" in unfolded
    assert unfolded[-2:] == ["END:VCALENDAR", ""]
