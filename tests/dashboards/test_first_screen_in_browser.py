"""The five answers as people see them: within the window, on a desk and in a hand, and calmly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dashboards.panels.range_bar import LIVE_EVERY_S
from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process
from dashboards.testing.axe import AxeMissingError, fetch_axe, violations

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

ANSWERS = (
    "incident-badges",
    "room-figures",
    "room-impact",
    "answer-cause",
    "answer-people",
    "next-step",
)
"""What answers the questions, by the classes of their containers."""

SIZES = {"desk": (1440, 900, False), "hand": (390, 844, True)}
# What is taken away, and how pale anything grows, between two looks; a tick may change words only.
_WATCH = """() => {
  window.seen = {gone: 0, palest: 1, acted: 0};
  const box = document.querySelector('.st-key-room-answers');
  new MutationObserver(changes => changes.forEach(one => {
    window.seen.gone += [...one.removedNodes].filter(node => node.nodeType === 1).length;
  })).observe(box, {subtree: true, childList: true});
  const actions = document.querySelector('.st-key-incident-actions');
  new MutationObserver(changes => { window.seen.acted += changes.length; })
    .observe(actions, {subtree: true, childList: true, characterData: true});
  const look = () => {
    const now = [...box.querySelectorAll('*')].map(one => +getComputedStyle(one).opacity);
    window.seen.palest = Math.min(window.seen.palest, ...now);
    setTimeout(look, 50);
  };
  look();
}"""
_STILL_READABLE = 0.9


@pytest.fixture(scope="module", name="dashboard")
def _dashboard(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dashboard_process(shared_api.url, tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.fixture(scope="module", name="axe")
def _axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        return fetch_axe(tmp_path_factory.mktemp("axe"))
    except AxeMissingError:
        return ""  # said aloud where every page is checked


@pytest.mark.parametrize("size", SIZES)
def test_five_answers_without_scrolling_and_without_unrest(
    size: str, dashboard: str, api: FakeApi, now_ms: int, axe: str
) -> None:
    """Whoever is woken reads what, since when, why, who and what next before touching anything."""
    api.world = World.in_incident(now_ms)
    width, height, dark = SIZES[size]
    with browser_page(width=width, height=height, dark=dark) as page:
        said: list[str] = []
        page.on("console", lambda line: said.extend(_complaints(line)))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{dashboard}/war_room")
        page.locator(".st-key-next-step button").wait_for()
        page.locator(".st-key-room-figures img").first.wait_for()
        for name in ANSWERS:
            box = page.locator(f".st-key-{name}").first.bounding_box()
            assert box is not None
            assert box["y"] >= 0, name
            assert box["y"] + box["height"] <= height, name
            assert box["x"] + box["width"] <= width, name
        _stands_still(page, api)
        # The list of pages that Streamlit draws beside a narrow page is none of ours.
        assert not axe or violations(page, axe, "[data-testid=stMain]") == []
        page.locator(".st-key-next-step button").click()
        page.get_by_text("Proposed runbook").wait_for()
        assert "view=Runbook" in page.url
        assert said == []


def _complaints(line: ConsoleMessage) -> list[str]:
    """Return what the console complains of; Streamlit first looks for itself below a page."""
    where = str(line.location.get("url", ""))
    told = line.type == "error" and "/_stcore/" not in where
    return [f"{line.text} {where}"] if told else []


def _stands_still(page: Page, api: FakeApi) -> None:
    """Watch a tick: nothing is taken away or grows pale; where people act nothing changes."""
    page.evaluate(_WATCH)
    api.asked.clear()
    page.wait_for_timeout(LIVE_EVERY_S * 1_200)
    seen = page.evaluate("() => window.seen")
    assert seen["gone"] == seen["acted"] == 0
    assert seen["palest"] >= _STILL_READABLE
    assert 1 <= len(api.asked) <= 3, api.asked
