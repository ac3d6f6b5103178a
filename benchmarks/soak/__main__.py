"""``scripts/bench soak [--minutes 20] [--tick 1] [--json]``: is memory level while five tabs watch?

The dashboard serves five pages to Chromium from an API of made-up data that goes on. Its live
parts tick faster than for people, so that a short run stands for a longer one: at one second
twenty minutes are as many ticks as 100 minutes. The slope is that of a straight line through the
second half: what is read once, and caches until they are full, lie before it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dashboards.panels.range_bar import LIVE_EVERY_S
from dashboards.testing import FakeApi, World, browser_page

PAGES = (
    "/war_room",
    "/war_room?view=Charts",
    "/war_room?view=Timeline",
    "/overview",
    "/silences",
)
EVERY_S = 30.0
_FEWEST = 6
_MIB = 1024 * 1024
_SERVE = """
import sys
from dashboards.panels import range_bar
range_bar.LIVE_EVERY_S = float(sys.argv.pop(1))
from dashboards.serve import main
main()
"""


def main() -> None:
    """Watch, and print a row each half minute; then what the second half says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="watched so long [20]")
    parser.add_argument("--tick", type=float, default=1.0, help="seconds between ticks [1]")
    parser.add_argument("--json", action="store_true", help="print a line of JSON a row")
    given = parser.parse_args()
    rows = []
    for row in soaked(given.minutes * 60, given.tick):
        rows.append(row)
        print(json.dumps(row) if given.json else _words(row), flush=True)
    if len(rows) < _FEWEST:
        return
    found = slopes(rows, given.tick)
    print(json.dumps(found) if given.json else "\n" + _words(found), flush=True)


def soaked(seconds: float, tick_s: float) -> Iterator[dict[str, float]]:
    """Yield what is in use, every half minute.

    Args:
        seconds: How long the tabs watch.
        tick_s: Between two ticks of what is live.

    Yields:
        ``minute``; ``server_mib``, resident; ``requests`` to the API since the row before; and of
        all tabs together, after their garbage was collected, ``heap_mib``, ``nodes`` of documents
        and ``listeners`` in them.
    """
    with ExitStack() as stack:
        api = stack.enter_context(FakeApi(World.in_incident(time.time_ns() // 1_000_000)))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, server = stack.enter_context(_dashboard(api.url, home, tick_s))
        page: Any = stack.enter_context(browser_page(width=1440, height=900))
        tabs = [page, *(page.context.browser.new_page() for _ in PAGES[1:])]
        for tab, address in zip(tabs, PAGES, strict=True):
            tab.goto(f"{url}{address}", wait_until="commit")
        sessions = [tab.context.new_cdp_session(tab) for tab in tabs]
        for session in sessions:
            session.send("Performance.enable")
        begun_s = time.monotonic()
        due_s = begun_s + EVERY_S
        while time.monotonic() - begun_s < seconds:
            page.wait_for_timeout(1_000)
            # What stands still is not sent again: the made-up world must go on.
            api.world.now_ms = time.time_ns() // 1_000_000
            if time.monotonic() >= due_s:
                due_s += EVERY_S
                minute = (time.monotonic() - begun_s) / 60
                row = {"minute": minute, "server_mib": server.memory_info().rss / _MIB}
                row["requests"] = float(len(api.asked))
                api.asked.clear()
                yield row | _tabs(sessions)


def _tabs(sessions: Sequence[Any]) -> dict[str, float]:
    total = {"heap_mib": 0.0, "nodes": 0.0, "listeners": 0.0}
    for session in sessions:
        session.send("HeapProfiler.collectGarbage")
        told = session.send("Performance.getMetrics")["metrics"]
        found = {one["name"]: one["value"] for one in told}
        total["heap_mib"] += found["JSHeapUsedSize"] / _MIB
        total["nodes"] += found["Nodes"]
        total["listeners"] += found["JSEventListeners"]
    return total


def slopes(rows: Sequence[dict[str, float]], tick_s: float) -> dict[str, float]:
    """Return what the second half says: its mean, and the growth an hour at people's ticks.

    >>> rows = [{"minute": m, "server_mib": 100 + m} for m in (0.0, 1.0, 2.0, 3.0)]
    >>> slopes(rows, 5.0)["server_mib an hour"]
    60.0
    """
    half = rows[len(rows) // 2 :]
    hours = np.array([row["minute"] for row in half]) / 60 * (LIVE_EVERY_S / tick_s)
    found: dict[str, float] = {"rows": float(len(half))}
    for name in half[0].keys() - {"minute", "requests"}:
        values = np.array([row[name] for row in half])
        found[f"{name}, mean"] = float(values.mean())
        found[f"{name} an hour"] = round(float(np.polyfit(hours, values, 1)[0]), 3)
    return found


def _words(row: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:,.1f}" for name, value in sorted(row.items()))


@contextmanager
def _dashboard(api_url: str, home: Path, tick_s: float) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-c", _SERVE, str(tick_s), "--port", "0", "--api-url", api_url]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(home)},
    )
    try:
        told = process.stdout.readline() if process.stdout else b""
        yield str(json.loads(told)["url"]), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    main()
