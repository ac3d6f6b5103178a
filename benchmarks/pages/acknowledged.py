"""How long after a click on Acknowledge the page says so, on a machine that has more to do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashboards.testing import FakeApi, World, browser_page, dashboard_process

_READY = "[data-testid=stApp][data-test-script-state=notRunning]"
_TIMES = 7
_WARM_S = 60
# What has been confirmed is no longer said to be.
_ANSWERS_AFTER_S = 2.0
# From the click itself, by the browser's clock, until the words have been painted.
_WATCH = """() => {
  window.seenMs = new Promise((resolve) => {
    addEventListener('click', (click) => {
      const look = () => {
        const lines = [...document.querySelectorAll('.tocsin-said, .st-key-incident-said p')];
        const said = lines.some((line) => line.innerText.includes('being confirmed'));
        if (said) requestAnimationFrame(() => resolve(performance.now() - click.timeStamp));
        else requestAnimationFrame(look);
      };
      look();
    }, { capture: true, once: true });
  });
}"""


def seen(busy: int) -> Iterator[dict[str, str | float]]:
    """Acknowledge a few times and yield a row each.

    Args:
        busy: Loops that compute beside; the load is awaited before.
    """
    with (
        tempfile.TemporaryDirectory() as home,
        FakeApi(World.in_incident(_now_ms())) as api,
        dashboard_process(api.url, Path(home)) as url,
        browser_page(width=1440, height=900) as page,
        _loops(busy),
    ):
        page.goto(f"{url}/war_room")
        page.locator(_READY).wait_for()
        end_s = time.monotonic() + (_WARM_S if busy else 0)
        while os.getloadavg()[0] < busy and time.monotonic() < end_s:
            time.sleep(1)
        for _ in range(_TIMES):
            api.reset(World.in_incident(_now_ms()))
            api.slow_s = _ANSWERS_AFTER_S
            yield _row(page, url)


def _row(page: Any, url: str) -> dict[str, str | float]:
    page.goto("about:blank")
    page.goto(f"{url}/war_room")
    button = page.locator(".st-key-acknowledge button").first
    button.wait_for()
    page.locator(_READY).wait_for()
    load = os.getloadavg()[0]
    page.evaluate(_WATCH)
    begun_s = time.monotonic()
    button.click()
    inside_ms = float(page.evaluate("window.seenMs"))
    ordered_ms = (time.monotonic() - begun_s) * 1_000
    # Its answer must not come into the next world.
    page.get_by_text("being confirmed").first.wait_for(state="detached")
    return {
        "task": "acknowledge, until it is seen",
        "load": load,
        "from the click, ms": inside_ms,
        "from the order to click, ms": ordered_ms,
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def _loops(count: int) -> Iterator[None]:
    """Have so many processes compute meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.terminate()
            loop.wait()
