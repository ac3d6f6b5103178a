"""Every page by the reader's own clock: ``zone=local`` in a real Chromium, far from UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dashboards.testing import FakeApi, browser_missing, browser_page, dashboard_process

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.patient,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
# What the server has worded (a diagnosis, say) tells UTC on every page and in every message.
PATHS = ("changes", "on_call", "alerts", "inspections")


@pytest.fixture(name="page", scope="module")
def _page(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    with (
        dashboard_process(shared_api.url, home) as url,
        browser_page(width=1440, height=900, timezone="Asia/Kolkata") as page,
    ):
        page.set_default_timeout(30_000)
        page.goto(url)
        yield page


@pytest.mark.parametrize("path", PATHS)
def test_moments_follow_the_readers_clock(page: Page, api: FakeApi, path: str) -> None:
    """Two clocks on one page cost somebody half an hour at night."""
    del api  # it is in an incident
    page.goto(f"{page.evaluate('location.origin')}/{path}?zone=local")
    page.get_by_text(re.compile(r"\bIST\b")).first.wait_for()
    page.locator(_DONE).wait_for()
    assert " UTC" not in page.locator("body").inner_text()
