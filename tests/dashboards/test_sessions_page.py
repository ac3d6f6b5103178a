"""The page of sessions, and what is asked of many traces on the page of traces."""

from __future__ import annotations

from typing import cast

import pytest

from dashboards.panels.sessions.session_lines import joined
from dashboards.testing import FakeApi, OpenPage, World, words
from dashboards.testing.fake_logs import line
from tocsin.client.log_shapes import LogPage


def test_the_sessions_are_listed(api: FakeApi, opened: OpenPage) -> None:
    """Nobody would find the session that somebody complains about."""
    page = opened("sessions")
    assert not page.exception
    assert page.dataframe[0].value["session"].tolist() == ["s-17"]
    assert "Write 2 to 12 steps" in words(page)


def test_one_session_tells_its_story(api: FakeApi, opened: OpenPage) -> None:
    """What failed, and why, would have to be pieced together from its traces."""
    page = opened("sessions", session="s-17", by="viewer.id")
    assert not page.exception
    text = words(page)
    assert "The first cause was 'sign' of license" in text
    assert "device.type" in text
    assert page.dataframe[0].value["first cause"].tolist() == ["license: sign"]
    assert any("by=viewer.id" in url for url in api.asked)
    assert page.dataframe[1].value["severity"].tolist() == ["error"]


def test_its_lines_are_those_of_its_traces_and_those_that_name_it_each_once(
    api: FakeApi, opened: OpenPage
) -> None:
    """What the player itself wrote would be missing, or what both know stand there twice."""
    page = opened("sessions", session="s-17")
    assert not page.exception
    assert page.dataframe[1].value["severity"].tolist() == ["error", "info"]
    asked = [url for url in api.asked if "/api/v1/logs?" in url]
    assert all("start_ms=1699999940000&end_ms=1700000062300" in url for url in asked)


def test_where_a_page_of_lines_was_cut_nothing_older_is_shown() -> None:
    """An hour would seem to have had lines of traces only."""
    world = World.quiet(2_000_000)

    def page(*ages_ms: int, after: str | None = None) -> LogPage:
        rows = [line(world, "x", "info", age_ms) for age_ms in ages_ms]
        return cast("LogPage", {"lines": rows, "next": after, "notes": ["a"]})

    found = joined([page(1_000, 3_000, after="1-1"), page(2_000, 4_000)], "other", "1")
    assert [int(row["time_ms"]) for row in found["lines"]] == [1_999_000, 1_998_000, 1_997_000]
    assert (found["next"], found["notes"]) == ("1-1", ["a"])


def test_an_attribute_of_a_link_is_no_markdown(api: FakeApi, opened: OpenPage, now_ms: int) -> None:
    """A link from a stranger would put a picture from afar on the page."""
    api.world = World(now_ms=now_ms, empty=True)
    page = opened("sessions", by="![x](http://a.example)")
    told = [caption.value for caption in page.caption if "a\\.example" in caption.value]
    assert len(told) == 2
    assert not any("![x](" in caption.value for caption in page.caption)


def test_a_funnel_says_where_sessions_stop(api: FakeApi, opened: OpenPage) -> None:
    """The steps of anybody's own service could not be asked for."""
    page = opened("sessions")
    page.text_area(key="steps").input("Browse\nSelect\nWatch").run()
    assert not page.exception
    steps = page.dataframe[1].value
    assert steps["step"].tolist() == ["Browse", "Select", "Watch"]
    assert steps["stopped"].tolist() == ["3", "4", "0"]


def test_without_spans_it_says_so(api: FakeApi, opened: OpenPage, now_ms: int) -> None:
    """A first start would show an empty page."""
    api.world = World(now_ms=now_ms, empty=True)
    assert "No span in memory has the attribute session.id" in words(opened("sessions"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("What they wait for", "playback: license"), ("What sets them apart", "oca-7")],
)
def test_what_traces_have_in_common(
    api: FakeApi, opened: OpenPage, asked: str, expected: str
) -> None:
    """Whoever has found the bad traces would still have to read each of them."""
    page = opened("traces", errors="true", common=asked)
    assert not page.exception
    assert expected in page.dataframe[1].value.to_string()
