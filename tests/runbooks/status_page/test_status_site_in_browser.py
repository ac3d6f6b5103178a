"""The status page in a real browser: on a phone, without JavaScript, for a screen reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.testing.axe import AxeMissingError, fetch_axe, violations
from dashboards.testing.browser import browser_missing, browser_page
from runbooks.status_page.component import State
from runbooks.status_page.notices import Progress
from runbooks.status_page.office import StatusOffice

pytestmark = [pytest.mark.processes, pytest.mark.paired, pytest.mark.slow]


@pytest.fixture
def site(office: StatusOffice, tmp_path: Path) -> Path:
    office.page.publish(
        title="Videos do not start in the east of the United States of America",
        text="We are looking into it.\nMore at 15:20 UTC, or under https://status.test/" + "a" * 80,
        progress=Progress.INVESTIGATING,
        components={"playback": State.PARTIAL_OUTAGE},
        actor="ana",
    )
    now_ms = office.page.now_ms()
    office.page.schedule(
        title="Move",
        text="It may fail for a minute.",
        components=["downloads"],
        starts_ms=now_ms + 3_600_000,
        ends_ms=now_ms + 7_200_000,
        actor="ana",
    )
    office.publisher.turn()
    return tmp_path / "status"


def test_everybody_can_read_it(site: Path, tmp_path: Path) -> None:
    """Nothing is cut off, every colour has contrast, every drawing has words."""
    if missing := browser_missing():
        pytest.skip(missing)
    try:
        axe = fetch_axe(tmp_path)
    except AxeMissingError as error:
        pytest.skip(str(error))
    asked: list[str] = []
    for width, dark in ((390, False), (1440, True)):
        with browser_page(width=width, dark=dark) as page:
            page.on("request", lambda request: asked.append(request.url))
            for name in ("index.html", "incidents/1.html", "incidents/index.html"):
                page.goto((site / name).as_uri())
                assert "Videos do not start" in page.inner_text("main")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                assert page.evaluate("document.scripts.length") == 0
                assert violations(page, axe) == []
    assert [url for url in asked if not url.startswith("file:")] == []
