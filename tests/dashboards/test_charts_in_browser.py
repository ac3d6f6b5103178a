"""Charts under a pointer: dragged, hovered, clicked and saved in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(name="dashboard", scope="module")
def _dashboard(shared_api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dashboard_process(shared_api.url, tmp_path_factory.mktemp("home")) as url:
        yield url


@pytest.fixture(name="page", scope="module")
def _page() -> Iterator[Page]:
    with browser_page(width=1440, height=900) as page:
        page.set_default_timeout(30_000)
        yield page


def asked(page: Page) -> dict[str, str]:
    """Return the parameters of a page's address."""
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def over(page: Page, chart: Locator, share: float) -> tuple[float, float]:
    """Move the pointer over a chart, so far from its left; return where that is."""
    box = chart.bounding_box()
    assert box is not None
    place = box["x"] + box["width"] * share, box["y"] + 120
    page.mouse.move(*place)
    return place


def test_a_chart_holds_still_and_shows_what_is_pointed_at(
    dashboard: str, page: Page, api: FakeApi, now_ms: int
) -> None:
    """A tick that redraws takes tooltip and crosshair from under somebody's eyes."""
    page.goto(f"{dashboard}/service?service=playback")
    stacks = page.locator(".stack")
    stacks.nth(1).locator("canvas").wait_for()
    page.locator(_DONE).wait_for()
    over(page, stacks.first, 0.5)
    page.mouse.move(*over(page, stacks.first, 0.55))
    told = stacks.first.get_by_text("UTC").last
    told.wait_for()
    values = stacks.first.locator("strong").all_inner_texts()
    assert [value for value in values if value.endswith(("/s", "%", "ms"))] == values
    numbers = [float(value.split()[0]) for value in values if value.endswith(" ms")]
    assert numbers == sorted(numbers, reverse=True)
    # The other stack of the page shows the same moment.
    assert stacks.nth(1).locator(".line").is_visible()
    before = int(stacks.first.get_attribute("data-updates") or 0)
    api.world = World.in_incident(now_ms + 20_000)
    page.wait_for_function(
        "before => Number(document.querySelector('.st-key-side-Served [data-testid]')"
        " && [...document.querySelectorAll('*')].map(e => e.shadowRoot)"
        ".filter(Boolean).map(r => r.querySelector('.stack')).find(Boolean)"
        "?.dataset.updates) > before",
        arg=before,
    )
    assert told.is_visible()


def test_a_drag_looks_closer_and_everything_follows(
    dashboard: str, page: Page, api: FakeApi
) -> None:
    """The stretch is in the address at once, for a colleague and for the next page."""
    page.goto(f"{dashboard}/service?service=playback")
    chart = page.locator(".stack").first
    chart.locator("canvas").wait_for()
    page.locator(_DONE).wait_for()
    over(page, chart, 0.4)
    page.mouse.down()
    over(page, chart, 0.5)
    over(page, chart, 0.6)
    assert chart.locator(".chosen").is_visible()
    page.mouse.up()
    page.get_by_text("Paused ·").wait_for()
    start, end = map(int, asked(page)["pin"].split("-"))
    # A fifth of fifteen minutes, a little more for the room beside the axis.
    assert 150_000 < end - start < 230_000
    assert any(f"s={start}&e={end}" in url for url in api.asked)

    page.locator(_DONE).wait_for()
    page.get_by_role("button", name="Time").click()
    page.get_by_role("button", name="Show local time").click()
    page.get_by_text("EST").first.wait_for()
    page.wait_for_url("**zone=local**")
    page.keyboard.press("Escape")
    page.get_by_text("Investigate", exact=True).click()
    page.get_by_role("menuitem", name="Explore").click()
    page.get_by_text("Stack-language expression").wait_for()
    page.get_by_text("Paused ·").wait_for()
    assert (asked(page)["pin"], asked(page)["zone"]) == (f"{start}-{end}", "local")

    page.locator(_DONE).wait_for()
    page.get_by_role("button", name="Zoom out").click()
    page.wait_for_url(lambda url: f"{start}-{end}" not in url)
    first, last = map(int, asked(page)["pin"].split("-"))
    assert (first < start, last > end) == (True, True)
    page.locator(_DONE).wait_for()
    page.get_by_role("button", name="Back").click()
    page.wait_for_url(f"**pin={start}-{end}**")


def test_a_question_is_kept_watched_and_taken_away(
    dashboard: str, page: Page, api: FakeApi
) -> None:
    """What was found at night is a chart, a rule and a table by morning."""
    page.goto(f"{dashboard}/explore")
    chart = page.locator(".stack").first
    chart.locator("canvas").wait_for()
    page.locator(_DONE).wait_for()
    page.get_by_role("button", name="Add to dashboard").click()
    page.get_by_label("Title of the chart").fill("Requests")
    page.get_by_label("Name of a new dashboard").fill("Night shift")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("night-shift.yaml is written").wait_for()
    assert "panel: Requests" in api.files.written["dashboards/night-shift.yaml"]

    page.get_by_role("button", name="Alert on this").click()
    page.get_by_label("What is it called?").fill("Requests fell")
    page.get_by_role("button", name="Propose").click()
    page.get_by_text("detectors/requests-fell.yaml").wait_for()
    page.get_by_role("button", name="Write and reload").click()
    page.get_by_text("detector requests-fell added").wait_for()

    over(page, chart, 0.5)
    with page.expect_download() as saved:
        chart.get_by_role("button", name="CSV").click()
    table = saved.value.path().read_text().splitlines()
    assert table[0].startswith('time,"Expression: ')
    assert len(table) > 100
    with page.expect_download() as saved:
        chart.get_by_role("button", name="PNG").click()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")

    canvas = chart.bounding_box()
    assert canvas is not None
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + 200)
    page.get_by_role("link", name="Traces then").click()
    page.get_by_text("TraceQL").wait_for()
    assert "pin" in asked(page)
    page.locator(_DONE).wait_for()
    assert any("/api/v2/traces?" in url and "start_ms=" in url for url in api.asked)
    grid = page.get_by_test_id("stDataFrame").first
    grid.locator(".dvn-scroller").click(position={"x": 14, "y": 50})
    page.wait_for_url("**trace=**")
    page.get_by_text("Log lines of this trace").wait_for()


def test_a_chart_is_read_and_zoomed_without_eyes_or_mouse(dashboard: str, page: Page) -> None:
    """Who has a keyboard, a screen reader or a phone gets the same numbers and stretches."""
    page.goto(f"{dashboard}/service?service=playback&layers=Last+week&layers=Usual+range")
    chart = page.locator(".stack").first
    chart.locator("canvas").wait_for()
    page.locator(_DONE).wait_for()
    assert "newest values" in (chart.get_attribute("aria-label") or "")
    chart.focus()
    page.keyboard.press("ArrowLeft")
    assert "/v1/play" in chart.locator(".said").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first of its tools
    table = chart.locator("table")
    heads, values = table.locator("thead th"), table.locator("tbody tr").first.locator("td")
    assert heads.nth(1).inner_text() == "HTTP requests a second by http.route: /v1/play"
    assert any(told.endswith(", a week before") for told in heads.all_inner_texts())
    assert values.first.inner_text().endswith("/s")
    page.keyboard.press("Escape")
    table.wait_for(state="detached")

    box = chart.bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    places = [box["x"] + box["width"] * share for share in (0.4, 0.5, 0.6)]
    for kind, x in zip(("touchStart", "touchMove", "touchMove"), places, strict=True):
        points = [{"x": x, "y": box["y"] + 120}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.get_by_text("Paused ·").wait_for()
    assert "pin" in asked(page)


def test_budgets_go_over_ninety_days(dashboard: str, page: Page) -> None:
    """A quarter's budget is what is talked about with those who pay for it."""
    page.goto(f"{dashboard}/service?service=playback")
    page.get_by_text("Budget over time", exact=True).click()
    over_what = page.get_by_label("Over", exact=True)
    page.get_by_text("all 30 d measured").wait_for()
    # A list closes as the page scrolls below it: first there, then clicked, as people do.
    over_what.scroll_into_view_if_needed()
    page.evaluate("new Promise(then => requestAnimationFrame(() => requestAnimationFrame(then)))")
    over_what.click()
    page.get_by_role("option", name="90 d").click()
    page.get_by_text("all 90 d measured").wait_for()
