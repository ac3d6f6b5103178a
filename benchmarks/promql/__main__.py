"""``scripts/bench promql``: the same counters and expressions for every system there is."""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.metrics.load import send_rounds
from benchmarks.metrics.process import get
from benchmarks.metrics.targets import MAKERS, Target
from collectors.store.testing.encoder import write_request

STEP_MS = 60_000
STEPS = 360
BOUNDS = ("0.01", "0.05", "0.1", "0.5", "1", "5", "10", "+Inf")
QUERIES = {
    "rate": "sum by (app) (rate(x_total[5m]))",
    "quantile": "histogram_quantile(0.99, sum by (le, app) (rate(b_bucket[5m])))",
    "top_k": "topk(5, sum by (app) (rate(x_total[5m])))",
    "join": "sum by (app) (rate(x_total[5m])) / on (app) sum by (app) (rate(b_bucket[5m]))",
}
_REPEATS = 3
_A_BODY = 200
# Prometheus refuses what is an hour older than its newest.
_A_ROUND = 30


def write_bodies(series: int, directory: Path) -> tuple[list[list[Path]], int]:
    """Write the requests of ``series`` counters, half of them buckets; return when they end."""
    end_ms = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    times = [end_ms - (STEPS - 1 - step) * STEP_MS for step in range(STEPS)]
    chance = np.random.default_rng(14)
    every = [
        {"__name__": "x_total", "app": f"app-{row % 100:03d}", "instance": f"i-{row:06d}"}
        for row in range(series // 2)
    ]
    every += [
        {
            "__name__": "b_bucket",
            "app": f"app-{row % 100:03d}",
            "instance": f"i-{row:06d}",
            "le": le,
        }
        for row in range(series // 2 // len(BOUNDS))
        for le in BOUNDS
    ]
    rounds: list[list[Path]] = [[] for _ in range(STEPS // _A_ROUND)]
    for begin in range(0, len(every), _A_BODY):
        chosen = every[begin : begin + _A_BODY]
        values = chance.integers(0, 9, (len(chosen), STEPS)).cumsum(axis=1).astype(float)
        if "le" in chosen[0]:
            # Buckets count up to their bound: none has less than the one before.
            ranks = np.array([BOUNDS.index(one.get("le", BOUNDS[0])) + 1 for one in chosen])
            values = np.floor(values[:1] * ranks[:, np.newaxis] / len(BOUNDS))
        for number, files in enumerate(rounds):
            some = slice(number * _A_ROUND, (number + 1) * _A_ROUND)
            path = directory / f"{number:03d}-{begin:07d}"
            rows = zip(chosen, values[:, some].tolist(), strict=True)
            path.write_bytes(
                write_request((labels, zip(times[some], row, strict=True)) for labels, row in rows)
            )
            files.append(path)
    return rounds, end_ms


def ask(url: str, text: str, end_ms: int) -> int:
    """Ask an expression over all steps; return the number of series answered."""
    start_ms = end_ms - (STEPS - 1) * STEP_MS
    form = {
        "query": text,
        "start": start_ms // 1000,
        "end": end_ms // 1000,
        "step": 60,
        "nocache": 1,
    }
    reply = orjson.loads(get(f"{url}?{urllib.parse.urlencode(form)}"))
    return len(reply["data"]["result"])


def measure(target: Target, bodies: list[list[Path]], end_ms: int) -> dict[str, Any]:
    """Send the bodies to a system and ask it; return wall and processor milliseconds, the best."""
    url = target.write_url.replace("/api/v1/write", "/api/v1/query_range")
    target.server.start()
    found: dict[str, Any] = {}
    try:
        send_rounds(target.write_url, bodies)
        deadline = time.monotonic() + 60
        while not ask(url, QUERIES["rate"], end_ms) and time.monotonic() < deadline:
            time.sleep(0.5)
        for name, text in QUERIES.items():
            tries = []
            for _ in range(_REPEATS):
                begun, cpu_s = time.perf_counter(), target.server.cpu_s()
                lines = ask(url, text, end_ms)
                cpu_ms = (target.server.cpu_s() - cpu_s) * 1000
                tries.append(((time.perf_counter() - begun) * 1000, cpu_ms, lines))
            wall_ms, cpu_ms, lines = min(tries)
            found[name] = {"ms": round(wall_ms, 1), "cpu_ms": round(cpu_ms, 1), "lines": lines}
        found["rss_mb"] = round(target.server.rss_bytes() / 1e6, 1)
        target.server.stop()
    finally:
        target.server.stop(signal.SIGKILL)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and run."""
    names = [name for name in MAKERS if name != "tocsin_with_history"]
    parser = argparse.ArgumentParser(prog="scripts/bench promql", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--scale", type=float, default=1.0, help="share of 100,000 series")
    parser.add_argument("--target", choices=names, action="append", help="only this one")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "bodies").mkdir()
        series = max(800, int(100_000 * options.scale))
        bodies, end_ms = write_bodies(series, Path(scratch) / "bodies")
        for name in options.target or names:
            home = Path(scratch) / name
            (home / "data").mkdir(parents=True)
            target = MAKERS[name](home)
            absent = {"absent": f"{name} is not installed"}
            results[name] = absent if target is None else measure(target, bodies, end_ms)
    if options.json:
        print(orjson.dumps({"series": series, "results": results}).decode())
        return
    for name, found in results.items():
        for what, figures in found.items():
            print(f"{name:18} {what:10} {figures}")


if __name__ == "__main__":
    main()
