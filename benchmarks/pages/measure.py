"""One page watched by so many people: real Chromium, a real dashboard, an API of made-up data."""

from __future__ import annotations

import base64
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from dashboards.panels.range_bar import LIVE_EVERY_S
from dashboards.testing import FakeApi, World, browser_page, dashboard_process

SETTLE_S = 6.0
_MILLI = 1_000


@dataclass  # without slots: Playwright keeps its wrappers of the methods on the object
class Ticks:
    """What one tab's connection carried, by the browser's own clock."""

    sent_s: deque[float] = field(default_factory=deque)
    lengths_ms: list[float] = field(default_factory=list)
    received_bytes: int = 0

    def sent(self, event: Mapping[str, Any]) -> None:
        """Take note of a frame that asks for a run."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        told = BackMsg()
        told.ParseFromString(base64.b64decode(event["response"]["payloadData"]))
        if told.WhichOneof("type") == "rerun_script":
            self.sent_s.append(event["timestamp"])

    def received(self, event: Mapping[str, Any]) -> None:
        """Take note of an answer; the one that says that a run is over ends a tick."""
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        payload = base64.b64decode(event["response"]["payloadData"])
        self.received_bytes += len(payload)
        told = ForwardMsg()
        told.ParseFromString(payload)
        if told.WhichOneof("type") == "script_finished" and self.sent_s:
            self.lengths_ms.append((event["timestamp"] - self.sent_s.popleft()) * _MILLI)


def measured(checkout: Path, viewers: int, seconds: float, address: str) -> dict[str, float]:
    """Return what a page costs.

    Args:
        checkout: Of the project; its dashboard is measured.
        viewers: Tabs that watch at once.
        seconds: How long they watch.
        address: Path and query of the page.
    """
    with ExitStack() as stack:
        api = stack.enter_context(FakeApi(World.in_incident(time.time_ns() // 1_000_000)))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(_dashboard(checkout, api.url, home))
        server = _server()
        page: Any = stack.enter_context(browser_page(width=1440, height=900))
        first_ms = [_first_chart_ms(page, f"{url}{address}")]
        tabs = [page]
        for _ in range(viewers - 1):
            tabs.append(page.context.browser.new_page(viewport=page.viewport_size))
            first_ms.append(_first_chart_ms(tabs[-1], f"{url}{address}"))
        page.wait_for_timeout(SETTLE_S * _MILLI)
        watched = [_watch(tab) for tab in tabs]
        # The made-up world must go on: what stands still is not sent again.
        api.asked.clear()
        works = [_works(tab) for tab in tabs]
        worked_s = sum(work() for work in works)
        cpu_s, begun_s = sum(server.cpu_times()[:2]), time.monotonic()
        while time.monotonic() - begun_s < seconds:
            page.wait_for_timeout(_MILLI)
            api.world.now_ms = time.time_ns() // 1_000_000
        spent_s = sum(server.cpu_times()[:2]) - cpu_s
        worked_s = sum(work() for work in works) - worked_s
        took_s, asked = time.monotonic() - begun_s, len(api.asked)
    periods = took_s / LIVE_EVERY_S * viewers
    figures = _figures(watched, first_ms, spent_s, took_s, asked)
    return figures | {"the browser's work a tab and tick, ms": worked_s * _MILLI / periods}


def _figures(
    watched: list[Ticks], first_ms: list[float], spent_s: float, took_s: float, asked: int
) -> dict[str, float]:
    lengths = sorted(length for one in watched for length in one.lengths_ms)
    periods = took_s / LIVE_EVERY_S * len(watched)
    return {
        "first chart, first tab, ms": first_ms[0],
        "first chart, median tab, ms": statistics.median(first_ms),
        "a run, median, ms": lengths[len(lengths) // 2] if lengths else float("nan"),
        "a run, 95 of 100, ms": lengths[int(len(lengths) * 0.95)] if lengths else float("nan"),
        "runs a tab and tick": len(lengths) / periods,
        "processor time a tab and tick, ms": spent_s * _MILLI / periods,
        "requests a tab and tick": asked / periods,
        "kilobytes a tab and tick": sum(one.received_bytes for one in watched) / 1_000 / periods,
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


def _first_chart_ms(page: Any, address: str) -> float:
    begun_s = time.monotonic()
    page.goto(address, wait_until="commit")
    page.locator("canvas, .st-key-room-figures img").first.wait_for()
    return (time.monotonic() - begun_s) * _MILLI


def _works(page: Any) -> Callable[[], float]:
    """Return what tells how long a tab's main thread has worked: scripts, layout, drawing."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def worked_s() -> float:
        told = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

    return worked_s


def _watch(page: Any) -> Ticks:
    ticks, session = Ticks(), page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", ticks.sent)
    session.on("Network.webSocketFrameReceived", ticks.received)
    return ticks
