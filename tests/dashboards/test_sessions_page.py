"""The page of sessions, and what is asked of many traces on the page of traces."""

from __future__ import annotations

import pytest

from dashboards.testing import FakeApi, OpenPage, World, words


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
    assert "Log lines of the first request that failed" in text
    assert page.dataframe[1].value["service"].tolist() == ["playback"]


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
