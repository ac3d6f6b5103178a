"""Acting in Chromium: what is clicked is seen at once, confirmed later, or taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

ACKNOWLEDGE = "Acknowledge Shortcut A"
"""A screen reader hears the key, too."""

SLOW_S = 3.0
SEEN_MS = 800
"""On a quiet machine it takes some milliseconds; a machine at full load must not fail the test."""

# From the click on: when its words were first on the screen.
_WATCH = """() => {
  window.seen = {};
  document.addEventListener('click', () => {
    const from = performance.now();
    const look = () => {
      const chip = document.querySelector('.tocsin-said');
      if (chip && chip.offsetHeight) window.seen.chip = performance.now() - from;
      else requestAnimationFrame(look);
    };
    look();
  }, { capture: true, once: true });
}"""


@pytest.fixture(scope="module", name="page")
def _page(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    home = tmp_path_factory.mktemp("home")
    with dashboard_process(shared_api.url, home) as url, browser_page(width=1440) as page:
        page.goto(f"{url}/war_room")
        yield page


def opened(page: Page, api: FakeApi, now_ms: int) -> None:
    api.reset(World.in_incident(now_ms))
    page.goto(page.url.split("?")[0])
    page.get_by_role("button", name=ACKNOWLEDGE).wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def test_a_click_is_seen_before_the_server_has_answered(
    page: Page, api: FakeApi, now_ms: int
) -> None:
    """Who is woken and sees nothing happen clicks again, and again."""
    opened(page, api, now_ms)
    api.slow_s = SLOW_S
    page.evaluate(_WATCH)
    page.get_by_role("button", name=ACKNOWLEDGE).click()
    page.wait_for_function("window.seen.chip !== undefined")
    assert page.evaluate("window.seen.chip") < SEEN_MS < 1000 * SLOW_S
    page.get_by_text("investigating", exact=True).first.wait_for()
    said = page.locator("[data-testid=stMarkdown]").get_by_text("being confirmed")
    said.first.wait_for(state="detached")
    assert page.get_by_role("button", name=ACKNOWLEDGE).first.is_disabled()
    assert [one["command"] for one in api.commands] == ["acknowledge"]


def test_what_the_server_refuses_is_taken_back_with_its_reason(
    page: Page, api: FakeApi, now_ms: int
) -> None:
    """An acknowledgement that is shown and does not hold leaves an outage to nobody."""
    opened(page, api, now_ms)
    api.refusal = "INC-7 was acknowledged by ben before"
    page.get_by_role("button", name=ACKNOWLEDGE).click()
    refused = page.get_by_test_id("stAlert").get_by_text("acknowledge was refused: INC-7 was")
    refused.wait_for()
    again = page.get_by_role("button", name=ACKNOWLEDGE)
    page.get_by_role("button", name="I have read this").click()
    refused.wait_for(state="detached")
    assert again.is_enabled()


def test_all_of_it_goes_by_keys(page: Page, api: FakeApi, now_ms: int) -> None:
    """Who can't use a pointer, or is faster without, acts all the same; ? says how."""
    opened(page, api, now_ms)
    page.keyboard.press("?")
    page.get_by_text("Hand over or take a role").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    field = page.get_by_role("textbox", name="Note for the timeline")
    field.wait_for()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type("a note, and not the keys a, e or s")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add note").click()
    page.get_by_role("tab", name="Timeline").click()
    page.locator(".st-key-timeline").get_by_text("a note, and not the keys").wait_for()
    assert [one["command"] for one in api.commands] == ["note"]


def test_fingers_find_the_buttons(page: Page, api: FakeApi, now_ms: int) -> None:
    """On a phone a button of half a finger's width is pressed by mistake."""
    opened(page, api, now_ms)
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.get_by_role("button", name=ACKNOWLEDGE).bounding_box()
    page.set_viewport_size({"width": 1440, "height": 900})
    assert box is not None
    assert box["height"] >= 44
