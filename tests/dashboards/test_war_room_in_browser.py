"""The war room as a person sees it: a real server, a real Chromium, a synthetic incident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.testing import FakeApi, World, browser_missing, browser_page, dashboard_process

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser_missing() is not None, reason=browser_missing() or ""),
]


@pytest.fixture(name="dashboard")
def _dashboard(api: FakeApi, tmp_path: Path) -> Iterator[str]:
    with dashboard_process(api.url, tmp_path) as url:
        yield url


def test_a_person_sees_the_incident_come_reads_it_and_takes_it(
    dashboard: str, api: FakeApi, now_ms: int
) -> None:
    """The calm page turns into the incident's by itself; severity, charts and timeline show."""
    api.world = World.quiet(now_ms)
    with browser_page(dark=True) as page:
        page.goto(f"{dashboard}/war_room")
        page.get_by_text("All quiet").wait_for()

        api.world = World.in_incident(now_ms)
        page.get_by_text("SEV1", exact=True).wait_for()
        page.get_by_role("tab", name="Charts").click()
        chart = page.locator(".st-key-pulse canvas").first
        chart.wait_for()
        box = chart.bounding_box()
        assert box is not None
        assert box["height"] > 300
        page.get_by_role("tab", name="Timeline").click()
        timeline = page.locator(".st-key-timeline")
        timeline.get_by_text("Paged #incidents through Slack").wait_for()

        page.get_by_role("button", name="Acknowledge").click()
        timeline.get_by_text("war room").wait_for()
        page.get_by_text("investigating", exact=True).wait_for()
        page.get_by_role("tab", name="Objectives").click()
        page.locator(".st-key-objectives").get_by_text("burning").wait_for()
    assert api.commands[0]["command"] == "acknowledge"
