"""Numbers and lengths of time, read and written."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.text.durations import Duration, parse_duration, short_text
from collectors.stacklang.text.literals import format_double, parse_double, parse_int
from collectors.stacklang.text.times import parse_duration_ms

quickly = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (5.0, "5.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (123456789.0, "1.23456789E8"),
        (2.0**55, "3.602879701896397E16"),
        (5e-324, "5.0E-324"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_numbers_are_written_as_java_writes_them(value: float, text: str) -> None:
    """Labels and rendered programs must be the same text as Atlas's."""
    assert format_double(value) == text


@quickly
@given(st.floats(allow_nan=False))
def test_a_written_number_reads_back(value: float) -> None:
    """No digit is lost or invented."""
    assert parse_double(format_double(value)) == value


@pytest.mark.parametrize("text", ["", "x", "1_000", "0x10", "1e", "٣", "nan", "inf", "1,5"])
def test_what_is_not_a_number(text: str) -> None:
    """Python reads more as a number than Java does."""
    assert parse_double(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [("30e3", 30000.0), (".5", 0.5), ("1.", 1.0), ("2d", 2)]
)
def test_what_java_reads_as_a_number(text: str, value: float) -> None:
    """Exponents, missing digits and Java's own suffixes."""
    assert parse_double(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("5", 5), ("-5", -5), ("+5", 5), ("2147483648", None), ("5.0", None)]
)
def test_integers_have_32_bits(text: str, value: int) -> None:
    """Larger ones are not integers, so that no word takes them for a count."""
    assert parse_int(text) == value


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("5s", 5_000),
        ("42min", 2_520_000),
        ("2wk", 1_209_600_000),
        ("1month", 2_592_000_000),
        ("1y", 31_536_000_000),
        ("42ms", 42),
        ("1500us", 1),
        ("PT5M", 300_000),
        ("P1DT5M42S", 86_742_000),
        ("PT-1H", -3_600_000),
        ("PT0.5S", 500),
    ],
)
def test_durations_are_read(text: str, millis: int) -> None:
    """Short units and ISO 8601 alike."""
    assert parse_duration_ms(text) == millis


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid period "),
        ("5", "invalid period 5"),
        ("5parsecs", "unknown unit parsecs"),
        ("9999999999999999y", "too large"),
        ("P", "cannot be parsed"),
        ("PT", "cannot be parsed"),
    ],
)
def test_what_is_not_a_duration_is_refused(text: str, message: str) -> None:
    """The message names what was given."""
    with pytest.raises(QueryError, match=re.escape(message)):
        parse_duration(text)


@pytest.mark.parametrize(
    ("millis", "iso", "short"),
    [
        (0, "PT0S", "0w"),
        (604_800_000, "PT168H", "1w"),
        (90_000, "PT1M30S", "90s"),
        (1_500, "PT1.5S", "PT1.5S"),
    ],
)
def test_durations_are_written(millis: int, iso: str, short: str) -> None:
    """ISO for programs, the largest whole unit for people."""
    duration = Duration(millis * 1_000_000)
    assert (str(duration), short_text(duration)) == (iso, short)


@quickly
@given(st.integers(min_value=0, max_value=10**15))
def test_a_written_duration_reads_back(nanos: int) -> None:
    """Both renderings keep every nanosecond."""
    duration = Duration(nanos)
    assert parse_duration(str(duration)) == duration
    assert parse_duration(short_text(duration)) == duration
