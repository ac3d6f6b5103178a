"""Every page in Chromium: readable by all, light and dark, and nothing asked of strangers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process
from dashboards.testing.axe import AxeMissingError, fetch_axe, violations
from dashboards.testing.synthetic import TRACE_ID

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.patient,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]

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


@pytest.mark.parametrize("world", [in_full, first_start])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_shuts_anybody_out(
    dashboard: str,
    api: FakeApi,
    axe: str,
    now_ms: int,
    dark: bool,
    world: Callable[[int, str], World],
) -> None:
    """Text too pale, a button without a name: somebody can't read or use the page."""
    found: dict[str, list[str]] = {}
    with browser_page(dark=dark) as page:
        for name in PAGES:
            api.world = world(now_ms, name)
            drawn(page, dashboard, name, now_ms)
            found[name] = violations(page, axe)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


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


def test_no_request_leaves_the_machine(dashboard: str, api: FakeApi, now_ms: int) -> None:
    """A font or a script from elsewhere tells a stranger who looks, and is missing offline."""
    asked: list[str] = []
    with browser_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        for name in PAGES:
            api.world = in_full(now_ms, name)
            drawn(page, dashboard, name, now_ms)
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert any("font" in url or url.endswith(".woff2") for url in asked)
    assert hosts == {"127.0.0.1"}
