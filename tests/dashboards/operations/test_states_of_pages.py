"""Each page about people, alerts and the machine when there is nothing, and when nobody answers."""

from __future__ import annotations

import pytest

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, World, words

ASKS = {
    "incidents": "/api/v2/incidents",
    "alerts": "/api/v2/alerts",
    "on_call": "/api/v2/oncall",
    "inspections": "/api/v2/inspections",
    "capacity": "/api/v2/capacity",
    "cluster": "/api/v2/cluster",
    "changes": "/api/v2/changes",
    "status_page": "/api/v2/status-page",
    "tocsin_itself": "/health",
}
"""What each page can't be drawn without."""

NOTHING = {
    "incidents": "No incident yet",
    "alerts": "Nothing fires",
    "on_call": "No schedule yet",
    "inspections": "No inspection is in force",
    "cluster": "One process",
    "capacity": "No rule has judged a step",
    "changes": "No change within 1 d",
    "status_page": "There is no status page",
    "tocsin_itself": "Nothing has come in yet",
}


@pytest.mark.parametrize("page", ASKS)
def test_a_page_is_drawn_and_asks_little(page: str, api: FakeApi, opened: OpenPage) -> None:
    """A page that asks for everything is slow for everybody who watches."""
    drawn = opened(page)
    assert not drawn.exception
    paths = {url.partition("?")[0].removeprefix(api.url) for url in api.asked}
    assert ASKS[page] in paths
    assert len(paths) <= 5, paths
    assert drawn.get("skeleton") == []


@pytest.mark.parametrize("page", NOTHING)
def test_nothing_is_said_to_be_nothing(
    page: str, api: FakeApi, now_ms: int, opened: OpenPage
) -> None:
    """On a first start an empty table would be taken for a broken one."""
    api.world = World(now_ms=now_ms, empty=True)
    drawn = opened(page)
    assert not drawn.exception
    assert NOTHING[page] in words(drawn)


@pytest.mark.parametrize("page", ASKS)
def test_a_refusal_is_shown_with_its_reason(page: str, api: FakeApi, opened: OpenPage) -> None:
    """A page that stays empty when it is refused says that all is well."""
    api.answer_with(ASKS[page], 403, '{"message": "your role may not *read* this"}')
    drawn = opened(page)
    assert not drawn.exception
    assert "refused (403)" in words(drawn)
    assert "your role may not *read* this" in words(drawn)


@pytest.mark.parametrize("page", ASKS)
def test_an_answer_of_another_version_breaks_nothing(
    page: str, api: FakeApi, opened: OpenPage
) -> None:
    """While one of both is upgraded the page says what it can't read."""
    api.answer_with(ASKS[page], 200, "[1]" if page != "alerts" else '{"a": 1}')
    drawn = opened(page)
    assert not drawn.exception
    assert "unreadable answer" in words(drawn)


def test_what_was_known_stays_with_its_age(mortal_api: FakeApi, opened_mortal: OpenPage) -> None:
    """While the server restarts every page shows what it knew, and says how old that is."""
    pages = {name: opened_mortal(name) for name in ASKS}
    mortal_api.stop()
    sources.retry()
    for name, page in pages.items():
        page.run()
        assert not page.exception, name
        assert "s old" in words(page), name
