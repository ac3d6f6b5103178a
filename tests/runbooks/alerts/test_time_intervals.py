"""Times that repeat mean what Alertmanager's do, in the zone that they name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.errors import DocumentError
from runbooks.alerts.interval_loading import load_intervals
from runbooks.alerts.intervals import TimeInterval


def interval(tmp_path: Path, period: str) -> TimeInterval:
    path = tmp_path / "intervals.yaml"
    path.write_text(f"time_intervals: [{{name: it, time_intervals: [{period}]}}]")
    return load_intervals(path)["it"]


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("period", "inside", "outside"),
    [
        ("{}", ["2026-01-01T00:00"], []),
        (
            '{times: [{start_time: "09:00", end_time: "17:00"}]}',
            ["2026-01-01T09:00", "2026-01-01T16:59:59"],
            ["2026-01-01T08:59", "2026-01-01T17:00"],
        ),
        ('{times: [{start_time: "17:00", end_time: "24:00"}]}', ["2026-01-01T23:59:59"], []),
        (
            "{weekdays: ['monday:friday', sunday]}",
            ["2026-11-30T12:00", "2026-12-04T12:00", "2026-12-06T12:00"],
            ["2026-12-05T12:00"],
        ),
        (
            "{days_of_month: ['1:5', '-3:-1']}",
            ["2026-02-01T00:00", "2026-02-05T23:00", "2026-02-26T00:00", "2026-02-28T23:59"],
            ["2026-02-06T00:00", "2026-02-25T23:59"],
        ),
        # Ends are drawn to the month; a beginning beyond its end is in no day of it.
        ("{days_of_month: ['30:31']}", ["2026-01-30T00:00"], ["2026-02-28T12:00"]),
        ("{days_of_month: ['1:31']}", ["2026-02-28T12:00"], []),
        ("{days_of_month: ['-31:-29']}", ["2026-01-03T00:00"], ["2026-01-04T00:00"]),
        (
            "{months: ['november:december', 1]}",
            ["2026-11-01T00:00", "2026-12-31T23:59", "2026-01-15T00:00"],
            ["2026-10-31T23:59", "2026-02-01T00:00"],
        ),
        ("{years: [2026, '2028:2029']}", ["2026-06-01T00:00", "2029-01-01T00:00"], ["2027-06-01"]),
        (
            "{weekdays: [monday], times: [{start_time: '00:00', end_time: '01:00'}]}",
            ["2026-11-30T00:30"],
            ["2026-11-30T01:00", "2026-12-01T00:30"],
        ),
    ],
)
def test_what_lies_within(
    tmp_path: Path, period: str, inside: list[str], outside: list[str]
) -> None:
    """Of each field one range is enough, and every field must fit."""
    found = interval(tmp_path, period)
    assert [text for text in inside if not found.contains(at(text))] == []
    assert [text for text in outside if found.contains(at(text))] == []


def test_it_follows_the_clocks_of_its_place(tmp_path: Path) -> None:
    """Nine in the morning is nine on both sides of the change."""
    office = "{location: Europe/Berlin, times: [{start_time: '09:00', end_time: '17:00'}]}"
    found = interval(tmp_path, office)
    for day in ("2026-03-28", "2026-03-29", "2026-10-25", "2026-10-26"):
        assert found.contains(at(f"{day}T09:00", "Europe/Berlin"))
        assert not found.contains(at(f"{day}T08:59", "Europe/Berlin"))
    assert found.contains(at("2026-03-30T07:00"))
    assert not found.contains(at("2026-03-27T07:00"))


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("{times: [{start_time: '9', end_time: '17:00'}]}", 'must be a time such as "09:00"'),
        ("{times: [{start_time: '17:00', end_time: '09:00'}]}", "must be after start_time"),
        ("{times: [{start_time: '24:01', end_time: '24:00'}]}", "must be a time"),
        ("{weekdays: [someday]}", "must be a weekday such as monday"),
        ("{weekdays: ['friday:monday']}", "the first must not be after the last"),
        ("{days_of_month: [0]}", "must be a day of the month"),
        ("{days_of_month: [32]}", "must be a day of the month"),
        ("{months: [13]}", "must be a month"),
        ("{years: [soon]}", "must be a year"),
        ("{location: Europe/Berlinn}", "did you mean 'Europe/Berlin'?"),
        ("{week_days: [monday]}", "weekdays"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, period: str, said: str) -> None:
    """With what would be right; a window that never comes would be found out too late."""
    with pytest.raises(DocumentError) as refused:
        interval(tmp_path, period)
    assert said in refused.value.message
    assert "intervals.yaml:1" in refused.value.message


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """Which of the two a route meant nobody could say."""
    path = tmp_path / "intervals.yaml"
    one = "{name: a, time_intervals: [{}]}"
    path.write_text(f"time_intervals: [{one}, {one}]")
    with pytest.raises(DocumentError, match="two intervals are called 'a'"):
        load_intervals(path)
