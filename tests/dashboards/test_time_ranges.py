"""One range for all pages: in the address, back and forth, in UTC or the reader's own time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import timerange
from dashboards.testing import FakeApi, OpenPage, button, charts, words
from dashboards.timerange import MAX_SPAN_MS, parse_pin, relative, wider

NOW_MS = 1_700_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", list(timerange.RELATIVE))
def test_every_relative_range_is_asked_for_and_stands_still_when_paused(name: str) -> None:
    """A range whose pin were another one would jump when somebody pauses."""
    start_ms, end_ms = relative(name).ends_ms(NOW_MS)
    assert end_ms - start_ms == timerange.RELATIVE[name] * 60_000
    pin = parse_pin(timerange.pin_of(relative(name), NOW_MS))
    assert pin is not None
    assert pin.span_ms == (start_ms, end_ms)


@given(st.integers(0, NOW_MS), st.integers(2_000, MAX_SPAN_MS))
def test_zooming_out_keeps_what_was_seen_and_never_shows_the_future(
    start: int, length: int
) -> None:
    """Who zooms out to find the edge of something must still see it."""
    pin = parse_pin(timerange.as_pin(start, start + length))
    assert pin is not None
    now_ms = max(NOW_MS, start + length)
    first, last = map(int, wider(pin, now_ms).removeprefix("-").split("-"))
    assert last >= start + length
    assert last <= now_ms
    assert last - first <= MAX_SPAN_MS


@pytest.mark.parametrize(
    "text", ["", "1", "-", "5-1", "1-2", "a-b", "1e3-2e9", "0-99999999999999", "1-1" + "0" * 20]
)
def test_an_address_that_says_nonsense_pins_nothing(text: str) -> None:
    """A link that was cut must not ask for a thousand years."""
    assert parse_pin(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW_MS),
        ("now-90m", NOW_MS - 5_400_000),
        ("NOW - 1w", NOW_MS - 604_800_000),
        ("2023-11-14T22:13:20Z", NOW_MS),
        ("2023-11-14 23:13:20", NOW_MS),
        ("2023-11-14 22:13:20 UTC", NOW_MS),
        ("23:13", NOW_MS - 20_000),
        ("23:14", NOW_MS - 86_400_000 + 40_000),
        ("9999999999999", None),
        ("tomorrow", None),
        ("25:99", None),
        ("2023-02-30 10:00", None),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, expected: int | None) -> None:
    """Half past ten is the reader's own half past ten, and the last one that has been."""
    assert timerange.moment_of(text, NOW_MS, BERLIN) == expected


def test_words_of_a_range_are_in_the_readers_time() -> None:
    """An hour off is the difference between before and after a deployment."""
    assert timerange.stretch(NOW_MS, NOW_MS + 60_000, BERLIN) == "23:13:20–23:14:20 CET"
    assert timerange.at(NOW_MS, BERLIN) == "2023-11-14 23:13:20 CET"


def test_a_range_is_carried_to_the_next_page_unless_its_address_has_one(opened: OpenPage) -> None:
    """Who compares two pages compares one time."""
    page = opened("overview", pin="1700000000000-1700000600000", zone="local")
    page.switch_page("app_pages/service.py").run()
    assert page.query_params["pin"] in (
        "1700000000000-1700000600000",
        ["1700000000000-1700000600000"],
    )
    assert "Paused · 22:13:20–22:23:20 UTC" in words(page)
    assert charts(opened("service", service="playback", zone="local"))[0]["useUTC"] is False


def test_back_and_out_walk_through_ranges(opened: OpenPage) -> None:
    """A look too close is undone with one press."""
    page = opened("overview", range="15 min")
    button(page, "range-out").click().run()
    assert page.selectbox(key="range").value == "1 h"
    button(page, "pause").click().run()
    assert "Paused · " in words(page)
    button(page, "range-back").click().run()
    assert "Live · " in words(page)
    button(page, "range-back").click().run()
    assert page.selectbox(key="range").value == "15 min"


def test_from_and_to_are_taken_or_refused_in_words(api: FakeApi, opened: OpenPage) -> None:
    """An end before its start shows nothing; it must say so instead."""
    page = opened("overview")
    page.text_input(key="range-from").set_value("2023-11-14 22:13:20")
    page.text_input(key="range-to").set_value("2023-11-14 22:23:20")
    button(page, "custom-show").click().run()
    assert "Paused · 22:13:20–22:23:20 UTC" in words(page)
    assert any("s=1700000000000&e=1700000600000" in url for url in api.asked)
    page = opened("overview")
    page.text_input(key="range-from").set_value("soon")
    button(page, "custom-show").click().run()
    assert "`soon` is no time" in words(page)
