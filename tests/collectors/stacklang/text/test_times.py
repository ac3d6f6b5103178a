"""The time parameters of a request."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.text.dates import parse_date, parse_zone
from collectors.stacklang.text.times import (
    choose_step_ms,
    parse_times,
    round_step,
    round_to_step_boundary,
    whole_step,
)

quickly = settings(max_examples=60, deadline=None)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


NOW_MS = at("2026-11-22T10:00:00+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-02-01", "2012-02-01T00:00:00+00:00"),
        ("2012-02-01T04:05", "2012-02-01T04:05:00+00:00"),
        ("2012-02-01T04:05:06.789", "2012-02-01T04:05:06.789+00:00"),
        ("2012-02-01T04:05Z", "2012-02-01T04:05:00+00:00"),
        ("2012-02-01T04:05-07:00", "2012-02-01T11:05:00+00:00"),
        ("2012-02-01+0130", "2012-01-31T22:30:00+00:00"),
        ("1328054400", "2012-02-01T00:00:00+00:00"),
        ("1328054400000", "2012-02-01T00:00:00+00:00"),
        ("1328054400000000", "2012-02-01T00:00:00+00:00"),
        ("1328054400000000000", "2012-02-01T00:00:00+00:00"),
        # Until the year 2400 a number is one of milliseconds, then of microseconds.
        ("2147483647", "2038-01-19T03:14:07+00:00"),
        ("4102444800000", "2100-01-01T00:00:00+00:00"),
        ("13569465600000", "2400-01-01T00:00:00+00:00"),
        ("13569465600001", "1970-06-07T01:17:45.600+00:00"),
        ("4102444800000000", "2100-01-01T00:00:00+00:00"),
        ("4102444800000000000", "2100-01-01T00:00:00+00:00"),
        ("1328054400-1h", "2012-01-31T23:00:00+00:00"),
        ("1328054400000+PT1M", "2012-02-01T00:01:00+00:00"),
        ("epoch", "1970-01-01T00:00:00+00:00"),
        ("now-1h", "2026-11-22T09:00:00+00:00"),
        ("epoch+1d", "1970-01-02T00:00:00+00:00"),
    ],
)
def test_points_in_time_are_read(text: str, expected: str) -> None:
    """ISO forms, epoch numbers by their magnitude, and times relative to a name."""
    assert parse_date(text, now_ms=NOW_MS) == at(expected)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("e-3h", "now", ("2026-11-22T07:00:00+00:00", "2026-11-22T10:00:00+00:00")),
        ("2012-01-01", "s+1d", ("2012-01-01T00:00:00+00:00", "2012-01-02T00:00:00+00:00")),
        ("e-1d", "2012-01-02", ("2012-01-01T00:00:00+00:00", "2012-01-02T00:00:00+00:00")),
        ("now-2h", "now-1h", ("2026-11-22T08:00:00+00:00", "2026-11-22T09:00:00+00:00")),
        ("e", "now", ("2026-11-22T10:00:00+00:00", "2026-11-22T10:00:00+00:00")),
    ],
)
def test_a_range_may_refer_to_itself(start: str, end: str, expected: tuple[str, str]) -> None:
    """One end may be given relative to the other."""
    assert parse_times(start, end, NOW_MS) == (at(expected[0]), at(expected[1]))


def test_the_zone_applies_to_times_without_one() -> None:
    """Half of the year 2012 was summer time in New York."""
    start_ms, end_ms = parse_times("2012-07-01", "2012-07-02T00:00Z", NOW_MS, "America/New_York")
    assert (start_ms, end_ms) == (at("2012-07-01T04:00:00+00:00"), at("2012-07-02T00:00:00+00:00"))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("e-1h", "s+1h", "both relative"),
        ("2018-07-24T00:05", "2018-07-24", "end time is before start time"),
        ("foo42", "now", "invalid date foo42"),
        ("x-1h", "now", "unknown reference 'x'"),
        ("2012-13-01", "now", "invalid date 2012-13-01"),
        ("2012-01-01T25:00", "now", "invalid date"),
        ("2012-01-01+99:99", "now", "invalid date"),
        ("epoch-99999y", "now", "out of range"),
        ("now-6h-1h", "now", "invalid date now-6h-1h"),
        ("2012-01-01+19:00", "now", "invalid date"),
    ],
)
def test_a_bad_range_is_refused(start: str, end: str, message: str) -> None:
    """The message says what is wrong with which text."""
    with pytest.raises(QueryError, match=message):
        parse_times(start, end, NOW_MS)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("+02:00", 2), ("-0330", -3.5), ("UTC+2", 2), ("GMT-08:00", -8), ("UTC+18:00:00", 18)],
)
def test_a_zone_may_be_an_offset(zone: str, hours: float) -> None:
    """As a region may; its name is read back as the same zone."""
    start_ms, _ = parse_times("2012-07-01", "2012-07-03", NOW_MS, zone)
    assert start_ms == at("2012-07-01T00:00:00+00:00") - hours * 3_600_000
    again = parse_zone(str(parse_zone(zone)))
    assert again.utcoffset(None) == parse_zone(zone).utcoffset(None)


@pytest.mark.parametrize("zone", ["UTC+19", "+02:99", "+", "UTC2", ""])
def test_an_impossible_offset_is_refused(zone: str) -> None:
    """No zone is further than 18 hours from UTC."""
    with pytest.raises(QueryError):
        parse_zone(zone)


def test_an_unknown_zone_is_refused() -> None:
    """Atlas names the Java exception; so do we."""
    with pytest.raises(QueryError, match="Unknown time-zone ID: foo") as caught:
        parse_times("e-1h", "now", NOW_MS, "foo")
    assert caught.value.kind == "ZoneRulesException"


@quickly
@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """Nothing but a QueryError ever comes out of a stranger's parameter."""
    with contextlib.suppress(QueryError):
        assert isinstance(parse_date(text, zone=UTC, now_ms=NOW_MS), int)


@pytest.mark.parametrize(
    ("primary_ms", "step_ms", "block_ms", "expected"),
    [
        (1, 2, 3_600_000, 5),
        (60_000, 70_000, 3_600_000, 120_000),
        (5_000, 240_000, 600_000, 300_000),
        (5_000, 900_000, 600_000, 1_200_000),
        (60_000, 43_200_001, 3_600_000, 86_400_000),
        (60_000, 90_000_000, 3_600_000, 172_800_000),
    ],
)
def test_a_step_is_rounded_up_to_an_allowed_one(
    primary_ms: int, step_ms: int, block_ms: int, expected: int
) -> None:
    """A step divides the store's blocks or is a multiple of them, and beyond a day whole days."""
    assert round_step(primary_ms, step_ms, block_ms=block_ms) == expected


@quickly
@given(
    st.sampled_from([1_000, 5_000, 10_000, 60_000]),
    st.integers(1, 2_000),
    st.integers(0, 10**12),
    st.integers(0, 3 * 365 * 86_400_000),
)
def test_a_chosen_step_gives_each_point_a_pixel(
    primary_ms: int, width: int, start_ms: int, length_ms: int
) -> None:
    """Never more points than pixels, and always a multiple of the store's step."""
    step_ms = choose_step_ms(primary_ms, width, start_ms, start_ms + length_ms)
    assert step_ms % primary_ms == 0
    assert length_ms // step_ms <= width


@pytest.mark.parametrize(
    ("primary_ms", "width", "hours", "expected"),
    [(60_000, 700, 24, 180_000), (60_000, 700, 168, 900_000), (10_000, 700, 3, 20_000)],
)
def test_a_chosen_step_is_any_allowed_one(
    primary_ms: int, width: int, hours: int, expected: int
) -> None:
    """The smallest that leaves each point its pixel."""
    assert choose_step_ms(primary_ms, width, 0, hours * 3_600_000) == expected


@quickly
@given(st.sampled_from([1_000, 4_000, 7_000, 10_000, 25_000, 60_000]), st.integers(1, 10**8))
def test_a_whole_step_is_a_multiple_of_the_stores(primary_ms: int, step_ms: int) -> None:
    """A step of 12 s over data of 10 s would take some of them twice."""
    whole = whole_step(primary_ms, step_ms)
    assert whole % primary_ms == 0
    assert whole >= step_ms


@quickly
@given(st.integers(0, 10**13), st.integers(1, 10**8))
def test_a_boundary_is_the_next_multiple(time_ms: int, step_ms: int) -> None:
    """At or after the time, by less than a step."""
    boundary = round_to_step_boundary(time_ms, step_ms)
    assert boundary % step_ms == 0
    assert 0 <= boundary - time_ms < step_ms
