"""Windows of the calendar: real months, clocks that change, budgets that begin anew."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.slo.calendar import CalendarWindow
from anomaly.slo.period import CalendarPeriod

HOUR_MS = 3_600_000


def window(start: str, zone: str, count: int, unit: str) -> CalendarWindow:
    return CalendarWindow(start=datetime.fromisoformat(start), zone=zone, count=count, unit=unit)


def ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


BERLIN = "Europe/Berlin"
AROUND = [
    # what, window, a moment in it (UTC), begin and end in the window's zone
    (
        "a month",
        ("2026-01-01", "UTC", 1, "M"),
        "2026-02-28T12:00",
        "2026-02-01",
        "2026-03-01",
    ),
    (
        "a leap February",
        ("2024-01-01", "UTC", 1, "M"),
        "2024-02-29",
        "2024-02-01",
        "2024-03-01",
    ),
    (
        "the 31st",
        ("2026-01-31", "UTC", 1, "M"),
        "2026-03-15",
        "2026-02-28",
        "2026-03-31",
    ),
    (
        "a quarter",
        ("2025-01-01", "Europe/Berlin", 1, "Q"),
        "2026-05-05",
        "2026-04-01",
        "2026-07-01",
    ),
    (
        "a year",
        ("2020-01-01", "Europe/Berlin", 1, "Y"),
        "2026-05-05",
        "2026-01-01",
        "2027-01-01",
    ),
    (
        "a day of 23 h",
        ("2026-01-01", "Europe/Berlin", 1, "d"),
        "2026-03-29T10:00",
        "2026-03-29",
        "2026-03-30",
    ),
    (
        "a day of 25 h",
        ("2026-01-01", "Europe/Berlin", 1, "d"),
        "2026-10-25T10:00",
        "2026-10-25",
        "2026-10-26",
    ),
    (
        "a week from Monday",
        ("2026-01-05", "Europe/Berlin", 1, "w"),
        "2026-04-01",
        "2026-03-30",
        "2026-04-06",
    ),
    (
        "two weeks",
        ("2026-01-05", "UTC", 2, "w"),
        "2026-01-20",
        "2026-01-19",
        "2026-02-02",
    ),
    (
        "twelve hours",
        ("2026-01-05", "UTC", 12, "h"),
        "2026-01-20T13:00",
        "2026-01-20T12:00",
        "2026-01-21",
    ),
    (
        "the date line",
        ("2026-01-01", "Pacific/Kiritimati", 1, "d"),
        "2026-06-01T11:00",
        "2026-06-02",
        "2026-06-03",
    ),
]


@pytest.mark.parametrize(
    ("given_window", "moment", "begin", "end"),
    [row[1:] for row in AROUND],
    ids=[r[0] for r in AROUND],
)
def test_the_window_around_a_moment(
    given_window: tuple[str, str, int, str], moment: str, begin: str, end: str
) -> None:
    """Otherwise a budget would begin anew on the wrong day, or an hour off for half a year."""
    zone = given_window[1]
    assert window(*given_window).around(ms(moment)) == (ms(begin, zone), ms(end, zone))


def test_days_where_clocks_change_have_their_real_length() -> None:
    """Otherwise the coverage of such a day would be 104 % or 96 % when all of it was measured."""
    days = window("2026-01-01", BERLIN, 1, "d")
    lengths = []
    for noon in ("2026-03-28T12:00", "2026-03-29T12:00", "2026-10-25T12:00"):
        around = days.around(ms(noon))
        assert around is not None
        lengths.append((around[1] - around[0]) // HOUR_MS)
    assert lengths == [24, 23, 25]


def test_a_start_that_the_clock_skips_is_as_much_later() -> None:
    """Otherwise a window from half past two would raise once a year."""
    days = window("2026-01-01T02:30", BERLIN, 1, "d")
    around = days.around(ms("2026-03-29T12:00"))
    assert around is not None
    assert datetime.fromtimestamp(around[0] / 1_000, UTC).hour == 1


def test_before_its_first_start_there_is_no_window() -> None:
    """Otherwise a promise that begins next month would be broken today."""
    assert window("2026-01-01", "UTC", 1, "M").around(ms("2025-12-31")) is None


@given(
    unit=st.sampled_from("mhdwMQY"),
    count=st.integers(1, 40),
    zone=st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Asia/Kathmandu"]),
    start=st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2025-01-01")),
    after_s=st.integers(1, 20 * 366 * 86_400),
)
def test_windows_follow_each_other_without_a_gap(
    unit: str, count: int, zone: str, start: datetime, after_s: int
) -> None:
    """Every moment after the start lies in exactly one window, its end in it, its begin not."""
    windows = CalendarWindow(
        start=start, zone=zone, count=count * 60 if unit == "m" else count, unit=unit
    )
    moment = windows.first_ms + after_s * 1_000
    around = windows.around(moment)
    assert around is not None
    assert around[0] < moment <= around[1]
    assert windows.around(around[1]) == around
    following = windows.around(around[1] + 1)
    assert following is not None
    assert following[0] == around[1]
    assert around[1] - around[0] <= windows.longest_ms() + HOUR_MS


def test_a_budget_of_the_calendar_begins_anew() -> None:
    """What was spent before midnight is gone after it, however the steps are cut."""
    days = window("2026-01-01", BERLIN, 1, "d")
    midnight_ms = ms("2026-01-10", BERLIN)
    bad = np.zeros((3, 1, 48))
    bad[0, 0], bad[1, 0], bad[2, 0] = np.arange(48), 100.0, 1.0
    first_ms = midnight_ms - 23 * HOUR_MS
    for cuts in ([0, 48], [0, 10, 24, 48], list(range(49))):
        period = CalendarPeriod(days, HOUR_MS)
        period.grow(1)
        told = []
        for begin, end in pairwise(cuts):
            period.extend(bad[:, :, begin:end], first_ms + begin * HOUR_MS)
            told.append(period.spent().sums[0, 0])
        # The step that ends at midnight is the last of the old day.
        assert told[-1] == sum(range(24, 48))
        assert period.spent().steps == 24
        assert period.spent().left_ms == 0
