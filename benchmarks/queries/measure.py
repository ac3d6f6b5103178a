"""A real server full of series, strangers who ask, honest senders who wait."""

from __future__ import annotations

import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.metrics.load import send_rounds
from benchmarks.metrics.process import Server, free_port
from benchmarks.metrics.workload import Bodies
from benchmarks.queries.honest import Honest
from benchmarks.queries.nasty import nastiest

_LONGEST_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Honest requests beside some queries.

    Attributes:
        name: What was asked.
        asked: Queries that were answered meanwhile, with the status of the last.
        query_s: The slowest of these.
        requests: Honest requests.
        failures: Those that were not acknowledged.
        p50_ms: Half of the honest requests waited less.
        p99_ms: All but one in a hundred did.
        longest_ms: The slowest.
        rss_mb: Memory of the server afterwards.
    """

    name: str
    asked: str
    query_s: float
    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    longest_ms: float
    rss_mb: float


class Platform:
    """``tocsin serve`` on free ports.

    Args:
        directory: For its data and its log.
        environment: Settings besides.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        port, otlp_port = free_port(), free_port()
        (directory / "data").mkdir(parents=True)
        settings = {
            "DATA_DIR": str(directory / "data"),
            "STEP": "60s",
            "HOT_WINDOW": "7h",
            "HISTORY": "off",
            "API_PORT": str(port),
            "OTLP_HTTP_PORT": str(otlp_port),
            "OTLP_GRPC_PORT": "0",
            "SPECTATOR_PORT": "0",
            **environment,
        }
        named = {f"TOCSIN_{key}": value for key, value in settings.items()}
        root = str(Path(__file__).parents[2])
        self.url = f"http://127.0.0.1:{port}"
        self.otlp_url = f"http://127.0.0.1:{otlp_port}"
        self.server = Server(
            [sys.executable, "-m", "tocsin", "serve"],
            directory / "data",
            f"{self.url}/health",
            {**os.environ, **named, "PYTHONPATH": root},
        )

    def load(self, bodies: Bodies) -> None:
        """Send what there is to ask about."""
        send_rounds(f"{self.url}/api/v1/write", bodies.files)


def measure_all(platform: Platform, bodies: Bodies, seconds: float) -> list[Waits]:
    """Measure without queries, beside each of the nastiest, and beside all at once."""
    queries = nastiest(bodies.start_ms, bodies.end_ms)
    found = [measure(platform, "nothing", {}, seconds)]
    for name, path in queries.items():
        found.append(measure(platform, name, {name: path}, seconds))
    found.append(measure(platform, "all at once", queries, 3 * seconds))
    return found


def measure(platform: Platform, name: str, paths: Mapping[str, str], seconds: float) -> Waits:
    """Ask ``paths`` again and again, each by two strangers if it is alone; send meanwhile."""
    enough = threading.Event()
    answers: list[tuple[float, int]] = []
    strangers = [
        threading.Thread(target=_ask, args=(platform.url + path, enough, answers), daemon=True)
        for path in paths.values()
        for _ in range(2 if len(paths) == 1 else 1)
    ]
    with Honest(platform.url, platform.otlp_url) as honest:
        time.sleep(0.5)
        if paths:
            honest.waits_s.clear()
        for stranger in strangers:
            stranger.start()
        time.sleep(seconds)
        enough.set()
        deadline = time.monotonic() + _LONGEST_S
        for stranger in strangers:
            stranger.join(max(0.0, deadline - time.monotonic()))
    waits = sorted(honest.waits_s)
    result = Waits(
        name=name,
        asked=f"{len(answers)} ({', '.join(sorted({str(status) for _, status in answers}))})",
        query_s=round(max((taken for taken, _ in answers), default=0.0), 2),
        requests=len(waits),
        failures=len(honest.failures),
        p50_ms=round(waits[len(waits) // 2] * 1e3, 1),
        p99_ms=round(waits[int(len(waits) * 0.99)] * 1e3, 1),
        longest_ms=round(waits[-1] * 1e3, 1),
        rss_mb=round(platform.server.rss_bytes() / 1e6),
    )
    print(result, honest.failures[:1], file=sys.stderr)
    return result


def _ask(url: str, enough: threading.Event, answers: list[tuple[float, int]]) -> None:
    while not enough.is_set():
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(url, timeout=_LONGEST_S) as reply:
                reply.read()
                status = int(reply.status)
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        answers.append((time.perf_counter() - begun, status))
