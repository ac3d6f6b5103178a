"""What people do in an incident, by clicks and seconds: real Chromium, an API of made-up data."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboards.testing import FakeApi, World, browser_page, dashboard_process
from dashboards.testing.synthetic import INCIDENT_ID, TRACE_ID
from runbooks.notifiers.card import Links

_READY = "[data-testid=stApp][data-test-script-state=notRunning]"
# Clicks that a person makes; those that scripts make are not trusted.
_COUNT = """addEventListener('click', (event) => {
  const clicks = +(sessionStorage.getItem('clicks') || 0);
  if (event.isTrusted) sessionStorage.setItem('clicks', clicks + 1);
}, true);"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to be done.

    Attributes:
        name: In words.
        most_clicks: So many it may take.
        begin: Path and query of where it begins; of a link in a message the click on it counts.
        act: Does it in a page, and waits until it is seen.
        is_link: Whether it begins with a click on a link elsewhere.
        is_over: Whether the incident is over.
    """

    name: str
    most_clicks: int
    act: Callable[[Any], None]
    begin: str = "/war_room"
    is_link: bool = False
    is_over: bool = False


def timed() -> Iterator[dict[str, str | float]]:
    """Do all tasks and yield a row each."""
    with tempfile.TemporaryDirectory() as home:
        now_ms = time.time_ns() // 1_000_000
        with (
            FakeApi(World.in_incident(now_ms)) as api,
            dashboard_process(api.url, Path(home)) as url,
            browser_page(width=1440, height=900) as page,
        ):
            page.context.add_init_script(_COUNT)
            page.goto(f"{url}/war_room")  # what a server does once is nobody's click
            page.locator(_READY).wait_for()
            for task in _TASKS:
                api.reset(_world(task))
                yield _row(page, url, task)


def _world(task: Task) -> World:
    now_ms = time.time_ns() // 1_000_000
    return World.after_incident(now_ms) if task.is_over else World.in_incident(now_ms)


def _row(page: Any, url: str, task: Task) -> dict[str, str | float]:
    page.goto("about:blank")
    begun_s = time.monotonic()
    page.goto(f"{url}{task.begin}", wait_until="commit")
    if not task.is_link and task.most_clicks:
        page.locator(".st-key-incident-actions").wait_for()
        page.locator(_READY).wait_for()
        begun_s = time.monotonic()
    page.evaluate("sessionStorage.removeItem('clicks')")
    task.act(page)
    clicks = int(page.evaluate("+(sessionStorage.getItem('clicks') || 0)"))
    return {
        "task": task.name,
        "clicks": float(clicks + task.is_link),
        "most clicks": float(task.most_clicks),
        "seconds": time.monotonic() - begun_s,
    }


def _button(page: Any, part: str) -> Any:
    return page.locator(f".st-key-{part} button").first


def _hand_over(page: Any) -> None:
    _button(page, "role-popover").click()
    page.get_by_role("combobox", name="To whom").click()
    page.keyboard.type("Ben")
    page.keyboard.press("Enter")
    _button(page, "role-hand").click()
    page.get_by_test_id("stToast").first.wait_for()


def _take(page: Any) -> None:
    _button(page, "role-popover").click()
    _button(page, "role-take").click()
    page.get_by_test_id("stToast").first.wait_for()


def _update(page: Any) -> None:
    _button(page, "update-popover").click()
    page.get_by_role("textbox", name="What those hear").click()
    page.keyboard.type("Starts fail in us-east-1; we take the deployment back.")
    page.get_by_role("button", name="Tell them").click()
    page.get_by_test_id("stToast").first.wait_for()


def _silence(page: Any) -> None:
    _button(page, "silence-popover").click()
    page.get_by_role("button", name="Silence it").click()
    page.get_by_test_id("stToast").first.wait_for()


def _acknowledge(page: Any) -> None:
    _button(page, "acknowledge").click()
    page.locator(".tocsin-said, .st-key-incident-said p").get_by_text(
        "being confirmed"
    ).first.wait_for()


def _paper(page: Any) -> None:
    _button(page, "share-popover").click()
    with page.expect_download():
        _button(page, "post-mortem-pdf").click()


def _seen(selector: str, text: str) -> Callable[[Any], None]:
    return lambda page: page.locator(selector).get_by_text(text).first.wait_for()


_ROOM = ".st-key-first-screen"
_LINKS = Links(dashboard_url="", api_url="")
_TASKS = (
    Task(
        name="from a link in Slack to the span that failed",
        most_clicks=1,
        begin=_LINKS.trace(TRACE_ID),
        is_link=True,
        act=_seen("[data-testid=stMain]", "failed"),
    ),
    Task(
        name="region affected",
        most_clicks=0,
        act=_seen(_ROOM, "in us-east-1: 9.4/s at worst"),
    ),
    Task(name="what changed", most_clicks=0, act=_seen(_ROOM, "Deployed playback 1.1.0")),
    Task(name="acknowledge, until it is seen", most_clicks=1, act=_acknowledge),
    Task(name="take the command", most_clicks=3, act=_take),
    Task(name="hand the command over", most_clicks=3, act=_hand_over),
    Task(name="tell stakeholders", most_clicks=3, act=_update),
    Task(name="silence what it is about", most_clicks=3, act=_silence),
    Task(
        name="post-mortem as PDF",
        most_clicks=3,
        begin=_LINKS.incident(INCIDENT_ID),
        is_over=True,
        act=_paper,
    ),
)
