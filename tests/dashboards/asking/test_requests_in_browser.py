"""How often a page that somebody watches asks the API: real Chromium, a real dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dashboards.panels.range_bar import LIVE_EVERY_S
from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.paired,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]
MOST_A_TICK = 3
_TICKS = 3
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(name="dashboard", scope="module")
def _dashboard(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dashboard_process(shared_api.url, tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.fixture(name="page", scope="module")
def _page() -> Iterator[Page]:
    with browser_page(width=1440, height=900) as page:
        yield page


def watched(page: Page, api: FakeApi, now_ms: int) -> tuple[list[str], list[str]]:
    """Have a page tick; return the requests that came, and the questions in them."""
    page.wait_for_timeout(LIVE_EVERY_S * 1_500)  # the tick after the page was drawn
    page.locator(_DONE).wait_for()
    api.requests.clear()
    api.asked.clear()
    for tick in range(_TICKS):
        api.world = World.in_incident(now_ms + 10_000 * tick)
        page.wait_for_timeout(LIVE_EVERY_S * 1_000)
    return list(api.requests), list(api.asked)


@pytest.mark.parametrize(
    ("address", "drawn"),
    [
        ("service?service=playback", ".stack"),
        ("war_room?view=Charts", ".stack"),
        ("", ".stack"),
        ("explore?q=name,stream.starts,:eq,:sum", ".stack"),
    ],
)
def test_a_tick_asks_three_times_at_most(
    dashboard: str, page: Page, api: FakeApi, now_ms: int, address: str, drawn: str
) -> None:
    """Ten people who watch an outage would be a hundred requests a second to a server in need."""
    page.goto(f"{dashboard}/{address}")
    page.locator(drawn).first.locator("canvas").wait_for()
    page.locator(_DONE).wait_for()
    requests, questions = watched(page, api, now_ms)
    assert len(questions) >= len(requests)
    assert any("/api/v1/graph" in one for one in questions), "its charts stand still"
    # One more tick than was waited for may have begun.
    assert len(requests) <= MOST_A_TICK * (_TICKS + 1), requests
