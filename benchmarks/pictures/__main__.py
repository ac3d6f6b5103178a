"""``scripts/bench pictures [FAULT ...] [--to DIR] [--after N]``: war rooms of real incidents.

Each fault is injected into a demo of its own; the incident that tocsin opens is looked at in
Chromium as whoever is paged sees it: the war room's first screen. What was not detected has no
picture, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from benchmarks.pictures.picture import small_enough
from dashboards.testing import browser_page
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.client.shapes import Incident
from tocsin.commands.demo import stop_on_signals
from tocsin.demo.narrator import Narrator
from tocsin.demo.plays import FaultPlay
from tocsin.demo.processes import Processes
from tocsin.demo.stage import Stage, set_stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

FAULTS = (
    "playback-errors",
    "region-death",
    "recommendations-latency",
    "bad-deployment-errors",
    "one-device-broken",
    "auth-errors",
)
HERE = Path(__file__).parents[2]
_DETECT_S = 180.0
_POLL_S = 1.0
_DONE = "[data-testid=stApp][data-test-script-state=notRunning]"
_SIZES = {"": (1440, 900), "-phone": (390, 844)}


def main() -> int:
    """Take the pictures; 1 when a fault was not detected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", default=list(FAULTS), help=", ".join(FAULTS))
    parser.add_argument("--to", type=Path, default=HERE / "docs" / "images", help="[docs/images]")
    parser.add_argument("--baseline", type=float, default=90.0, help="seconds of health [90]")
    parser.add_argument("--after", type=float, default=30.0, help="seconds after the page [30]")
    parser.add_argument("--seed", type=int, default=7, help="of the platform's viewers [7]")
    parser.add_argument("--tries", type=int, default=2, help="of each fault [2]")
    given = parser.parse_args()
    stop_on_signals()  # what was started is ended again
    told = [_tried(fault, given) for fault in given.faults]
    return 0 if all(one["pictures"] for one in told) else 1


def _tried(fault: str, given: argparse.Namespace) -> dict[str, object]:
    told: dict[str, object] = {}
    for _ in range(given.tries):
        told = _taken(fault, given)
        if told["pictures"]:
            break
    print(json.dumps(told), flush=True)
    return told


def _taken(fault: str, given: argparse.Namespace) -> dict[str, object]:
    """Play one fault and take its pictures."""
    narrator = Narrator(sys.stderr)
    narrator.say("fault", fault)
    told: dict[str, object] = {"fault": fault, "load": os.getloadavg()[0], "pictures": []}
    with (
        tempfile.TemporaryDirectory() as directory,
        Processes(Path(directory) / "logs", dict(os.environ)) as processes,
    ):
        data_dir = Path(directory) / "data"
        stage = set_stage(processes, data_dir, narrator, quick=True, seed=given.seed)
        with (
            httpx2.Client(base_url=stage.control_url, timeout=15.0, trust_env=False) as platform,
            ApiClient(stage.api_url) as api,
        ):
            time.sleep(given.baseline)
            if _paging(api, within_s=0) is not None:
                return told | {"why none": "a page although nothing was broken"}
            begun_ms = FaultPlay(name=fault, platform=platform).begin()
            found = _paging(api, within_s=_DETECT_S)
            if found is None:
                return told | {"why none": "nothing paged in time"}
            time.sleep(given.after)
            told["pictures"] = _pictures(stage, found["id"], fault, given.to)
            return told | _said(api, found, begun_ms)


def _paging(api: ApiClient, *, within_s: float) -> Incident | None:
    """Return the first incident that wakes somebody, None when none comes in time."""
    end_s = time.monotonic() + within_s
    while True:
        try:
            every = [one["id"] for one in api.incidents(state="all")]
            for incident in map(api.incident, reversed(every)):
                if any(finding["urgency"] == "page" for finding in incident["findings"]):
                    return incident
        except ClientError:
            pass  # a busy machine answers later
        if time.monotonic() >= end_s:
            return None
        time.sleep(_POLL_S)


def _said(api: ApiClient, found: Incident, begun_ms: float) -> dict[str, object]:
    screen = api.screen(found["id"])
    detected_ms = found["detected_ms"]
    return {
        "detected after, s": None if detected_ms is None else (detected_ms - begun_ms) / 1_000,
        "title": screen["incident"]["title"],
        "sentence": screen["sentence"],
        "cause": screen["cause"]["words"],
        "next": screen["next"]["text"],
    }


def _pictures(stage: Stage, incident: str, fault: str, to: Path) -> list[str]:
    taken = []
    for suffix, (width, height) in _SIZES.items():
        with browser_page(width=width, height=height) as page:
            _open(page, f"{stage.dashboard_url}/war_room?incident={incident}")
            path = to / f"war-room-{fault}{suffix}.png"
            path.write_bytes(small_enough(page.screenshot()))
            taken.append(str(path))
    return taken


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".st-key-room-figures").wait_for()
    page.locator(_DONE).wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.wait_for_timeout(1_000)


if __name__ == "__main__":
    raise SystemExit(main())
