"""Every page in Chromium: readable by all, light and dark, and nothing asked of strangers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process
from dashboards.testing.axe import AxeMissingError, fetch_axe, violations
from dashboards.testing.synthetic import TRACE_ID

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, ViewportSize

pytestmark = [
    pytest.mark.patient,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

LONG = pytest.mark.skipif(
    "TOCSIN_LONG_STORIES" not in os.environ,
    reason="all pages once more take a minute; set TOCSIN_LONG_STORIES=1 to see them",
)
ROOT = Path(__file__).parents[2]
PAGES = sorted(path.stem for path in (ROOT / "dashboards/app_pages").glob("[a-z]*.py"))
ADDRESS = {"service": "service=playback", "traces": f"trace={TRACE_ID}"}
# Pages about what is over.
AFTERWARDS = {"post_mortems"}
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
_LOADING = "[data-testid=stSkeleton]"
# What is about to be replaced is pale, and what is new fades in: nobody reads it then.
_STANDS_STILL = """() => !document.querySelector('[data-stale=true]')
  && document.getAnimations().every(
    one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"""
_IS_DARK = """() => getComputedStyle(document.querySelector('[data-testid=stApp]'))
  .backgroundColor.match(/\\d+/g).slice(0, 3).every(part => Number(part) < 60)"""
_FITS = """() => [document.documentElement,
  ...document.querySelectorAll('[data-testid=stMain]')].every(
    one => one.scrollWidth <= one.clientWidth + 1)"""
_FITS_WITHIN_MS = 5_000
_DESK: ViewportSize = {"width": 1280, "height": 900}
_PHONE: ViewportSize = {"width": 390, "height": 844}
_OF_THE_PAGE = ("data:", "blob:")
_CHART_IS_EARLY = ("WARN Infinite extent", 'WARN Conflicting scale property "domain"')


@pytest.fixture(scope="module", name="axe")
def _axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    try:
        return fetch_axe(tmp_path_factory.mktemp("axe"))
    except AxeMissingError as error:
        pytest.skip(f"accessibility is NOT checked: {error}")


@pytest.fixture(scope="module", name="dashboard")
def _dashboard(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    with dashboard_process(shared_api.url, home) as url:
        yield url


def drawn(page: Page, dashboard: str, name: str, now_ms: int) -> None:
    """Open a page whose range stands still, and wait until all of it is drawn."""
    path = "" if name == "overview" else name
    address = [f"pin={now_ms - 900_000}-{now_ms}", *filter(None, [ADDRESS.get(name)])]
    page.goto(f"{dashboard}/{path}?{'&'.join(address)}")
    page.locator("[data-testid=stMainBlockContainer]").wait_for()
    page.locator(_DONE).wait_for()
    page.wait_for_function(f"() => !document.querySelector('{_LOADING}')")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.wait_for_function(_STANDS_STILL)


def in_full(now_ms: int, name: str) -> World:
    """Return a world in which a page has something to show."""
    world = World.after_incident(now_ms) if name in AFTERWARDS else World.in_incident(now_ms)
    world.plain_boards = False
    return world


def first_start(now_ms: int, _: str) -> World:
    """Return a world without anything."""
    return World(now_ms=now_ms, empty=True)


@dataclass  # no slots: Playwright keeps something of its own on it
class Heard:
    """What a browser said and asked for while pages were looked at."""

    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note what the console says, and every address."""
        page.on("console", self._note)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda socket: self.asked.append(socket.url))

    def _note(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its own server below the page's address first.
        probe = "/_stcore/" in message.location.get("url", "")
        # Vega draws a chart's frame a moment before its data come, and says that they lack.
        early = message.text.startswith(_CHART_IS_EARLY)
        if message.type in {"error", "warning"} and not probe and not early:
            self.complaints.append(message.text)


def wrong_with(page: Page, axe: str) -> list[str]:
    """Say what is wrong with a page that is drawn: in the light, in the dark, on a phone."""
    from playwright.sync_api import TimeoutError as Waited

    found = violations(page, axe)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(_IS_DARK)
    page.wait_for_function(_STANDS_STILL)
    found += [f"dark: {wrong}" for wrong in violations(page, axe)]
    page.set_viewport_size(_PHONE)
    try:
        page.wait_for_function(_FITS, timeout=_FITS_WITHIN_MS)
    except Waited:
        found.append(f"scrolls sideways at {_PHONE['width']} px")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(_DESK)
    return found


@pytest.mark.parametrize("world", [in_full, pytest.param(first_start, marks=LONG)])
def test_no_page_shuts_anybody_out(
    dashboard: str, api: FakeApi, axe: str, now_ms: int, world: Callable[[int, str], World]
) -> None:
    """Text too pale, a button without a name, a page wider than a phone: somebody can't use it.

    A font or a script from elsewhere would tell a stranger who looks, and be missing offline.
    """
    found: dict[str, list[str]] = {}
    heard = Heard()
    with browser_page() as page:
        heard.listen(page)
        for name in PAGES:
            api.world = world(now_ms, name)
            drawn(page, dashboard, name, now_ms)
            found[name] = wrong_with(page, axe)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert heard.complaints == []
    hosts = {urlsplit(url).hostname for url in heard.asked if not url.startswith(_OF_THE_PAGE)}
    assert any("font" in url or url.endswith(".woff2") for url in heard.asked)
    assert hosts == {"127.0.0.1"}


@LONG
def test_a_page_whose_server_is_away_is_readable_too(
    dashboard: str, api: FakeApi, axe: str, now_ms: int
) -> None:
    """The card that says what is wrong must not be the one that can't be read."""
    for path in ("incidents", "slos", "services", "metrics", "traces", "dashboards"):
        api.answer_with(f"/api/v2/{path}", 500, '{"message": "not now"}')
    found: dict[str, list[str]] = {}
    with browser_page(dark=True) as page:
        for name in PAGES:
            drawn(page, dashboard, name, now_ms)
            found[name] = violations(page, axe)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
