"""Chromium for tests: is it here, and one page in it with the flags that a container needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_STOP_WITHIN_S = 10
_TIMEOUT_MS = 90_000  # a busy two-core machine takes its time to draw


def browser_missing() -> str | None:
    """Return why no browser test can run here, None when it can."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    if _chromium() is None and not _downloaded():
        return f"no Chromium on PATH (looked for {', '.join(_NAMES)})"
    return None


@contextmanager
def browser_page(
    *,
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    timezone: str = "America/New_York",
) -> Iterator[Page]:
    """Open one page in Chromium and close everything afterwards.

    The time zone is far from UTC by default, so that a page that shows local time is found out.

    Args:
        width: Viewport, CSS pixels.
        height: Viewport, CSS pixels.
        dark: Ask for the dark theme.
        timezone: The browser's time zone.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=list(_FLAGS))
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            timezone_id=timezone,
            locale="en-GB",
        )
        page.set_default_timeout(_TIMEOUT_MS)
        try:
            yield page
        finally:
            browser.close()


@contextmanager
def dashboard_process(
    api_url: str, home: Path, *, slack_url: str = "", port: int = 0
) -> Iterator[str]:
    """Run the dashboard in its own process, as ``tocsin dashboard`` starts it; yield its address.

    Args:
        api_url: Where the API answers.
        home: Directory that stands for the user's.
        slack_url: Where the local Slack server answers; there, too, if empty.
        port: Where the dashboard is to listen; 0 for any.
    """
    command = [sys.executable, "-m", "dashboards.serve", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [*command, "--api-url", api_url, "--slack-url", slack_url or api_url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(home)},
    )
    if process.stdout is None:
        raise RuntimeError("the dashboard's process has no output to read its address from")
    with process.stdout:
        try:
            # Of a port that was chosen its banner is the first that it writes.
            told = process.stdout.readline()
            yield f"http://127.0.0.1:{port}" if port else str(json.loads(told)["url"])
        finally:
            process.terminate()
            process.wait(_STOP_WITHIN_S)


def _chromium() -> str | None:
    """Return the system's browser; without one Playwright starts its own download."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _downloaded() -> bool:
    """Return whether ``playwright install chromium`` has been done here."""
    default = Path.home() / ".cache" / "ms-playwright"
    directory = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", default))
    return any(directory.glob("chromium*"))
