"""One page watched by so many people: real Chromium, a real dashboard, an API of made-up data."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil

from benchmarks.pages.viewer import Viewer
from dashboards.panels.range_bar import LIVE_EVERY_S
from dashboards.testing import FakeApi, World, browser_page, dashboard_process

_AGAIN = 2
_WITHIN_S = 120.0
_MILLI = 1_000


def measured(
    checkout: Path, viewers: int, seconds: float, address: str, *, is_drawn: bool = True
) -> dict[str, float]:
    """Return what a page costs.

    Args:
        checkout: Of the project; its dashboard is measured.
        viewers: People who watch at once.
        seconds: How long they watch.
        address: Path and query of the page.
        is_drawn: Whether a browser draws it, too, until its first chart is there.
    """
    with ExitStack() as stack:
        api = stack.enter_context(FakeApi(World.in_incident(_now_ms())))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_dashboard(checkout, api.url, home))
        server = _server()
        _wait_for(url)
        first_ms = _first_charts_ms(f"{url}{address}") if is_drawn else [float("nan")]
        name, _, query = address.strip("/").partition("?")
        crowd = [Viewer(url=url, page=name, query=query) for _ in range(viewers)]
        spent_s, asked = asyncio.run(_watched(crowd, seconds, api, server))
    return _figures(crowd, first_ms, spent_s, seconds, asked)


async def _watched(
    crowd: list[Viewer], seconds: float, api: FakeApi, server: psutil.Process
) -> tuple[float, int]:
    """Have all watch; return how long the server computed, and how often it asked the API."""
    opened = asyncio.Barrier(len(crowd) + 1)
    async with asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(viewer.watch(opened, seconds)) for viewer in crowd]
        await opened.wait()
        before_s = sum(server.cpu_times()[:2])
        api.requests.clear()
        while not all(one.done() for one in watching):
            # The made-up world must go on: what stands still is not sent again.
            api.world.now_ms = _now_ms()
            await asyncio.sleep(1)
        return sum(server.cpu_times()[:2]) - before_s, len(api.requests)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _figures(
    crowd: list[Viewer], first_ms: list[float], spent_s: float, took_s: float, asked: int
) -> dict[str, float]:
    lengths = sorted(length for one in crowd for length in one.lengths_ms)
    periods = took_s / LIVE_EVERY_S * len(crowd)
    return {
        "first chart, first tab, ms": first_ms[0],
        "first chart, later, ms": statistics.median(first_ms[1:] or first_ms),
        "a run, median, ms": lengths[len(lengths) // 2] if lengths else float("nan"),
        "a run, 95 of 100, ms": lengths[int(len(lengths) * 0.95)] if lengths else float("nan"),
        "runs a tab and tick": len(lengths) / periods,
        "processor time a tab and tick, ms": spent_s * _MILLI / periods,
        "requests a tab and tick": asked / periods,
        "kilobytes a tab and tick": sum(one.received_bytes for one in crowd) / 1_000 / periods,
    }


@contextmanager
def _dashboard(checkout: Path, api_url: str, home: Path) -> Iterator[str]:
    """Run the dashboard of a checkout; the modules of this one stay out of its way."""
    before, directory = os.environ.get("PYTHONPATH"), Path.cwd()
    os.environ["PYTHONPATH"] = str(checkout)
    os.chdir(checkout)
    try:
        with dashboard_process(api_url, home) as url:
            yield url
    finally:
        os.chdir(directory)
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _server() -> psutil.Process:
    """Return the dashboard's process: the child of ours that serves pages."""
    children = psutil.Process().children()
    return next(one for one in children if "dashboards.serve" in one.cmdline())


def _wait_for(url: str) -> None:
    """Wait until a dashboard listens: it says its address before."""
    end_s = time.monotonic() + _WITHIN_S
    while True:
        try:
            httpx2.get(f"{url}/_stcore/health").raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.2)
        else:
            return


def _first_charts_ms(address: str) -> list[float]:
    with browser_page(width=1440, height=900) as page:
        return [_first_chart_ms(page, address) for _ in range(1 + _AGAIN)]


def _first_chart_ms(page: Any, address: str) -> float:
    begun_s = time.monotonic()
    page.goto(address, wait_until="commit")
    page.locator("canvas, .st-key-room-figures img").first.wait_for()
    return (time.monotonic() - begun_s) * _MILLI


def _works(page: Any) -> Callable[[], float]:
    """Return what tells how long a tab's main thread has worked: scripts, layout, drawing."""
    session = page.context.new_cdp_session(page)
    # By the thread's own clock: what the rest of the machine does is not counted.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked_s() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

    return worked_s
