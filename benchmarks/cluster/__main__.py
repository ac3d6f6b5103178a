"""``scripts/bench cluster``: processor time of a sample, latency of a query, with 1, 2, 3 nodes."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.store.testing.encoder import write_request
from tests.runbooks.databases import PostgresServer
from tests.tocsin.cluster.shards_in_processes import HEADERS, Nodes, nodes_in

STEP_MS = 10_000
QUERIES = {
    "one series": "/api/v1/graph?format=json&s=e-1h&q=name,load,:eq,node,n7,:eq,:and,:sum",
    "sum by app": "/api/v1/graph?format=json&s=e-1h&q=name,load,:eq,:sum,(,app,),:by",
    "PromQL sum by app": "/api/v1/query_range?query=sum+by+(app)(load)&start={start}&end={end}"
    "&step=60",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one size of cluster took.

    Attributes:
        nodes: How many.
        load: Average of the machine before the run.
        cpu_us: Processor time of all nodes for a sample, microseconds.
        samples_s: Samples a second, all nodes on this machine.
        latency_ms: Median latency of each query.
    """

    nodes: int
    load: float
    cpu_us: float
    samples_s: float
    latency_ms: dict[str, float]


def bodies(series: int, a_body: int, at_ms: int) -> list[bytes]:
    """Return the bodies of one step: a sample of each series."""
    found = []
    for begin in range(0, series, a_body):
        rows = [
            (
                {
                    "__name__": "load",
                    "app": f"app{n % 40}",
                    "node": f"n{n}",
                    "zone": f"z{n % 3}",
                    "cluster": "main",
                    "version": f"v{n % 7}",
                },
                [(at_ms, float(n % 1_000))],
            )
            for n in range(begin, min(series, begin + a_body))
        ]
        found.append(write_request(rows))
    return found


def send(nodes: Nodes, steps: Sequence[Sequence[bytes]]) -> None:
    """Send each body to the next node."""
    urls, turn = list(nodes.urls.values()), 0
    for step in steps:
        for body in step:
            url = urls[turn % len(urls)]
            answer = nodes.http.post(url + "/api/v1/write", content=body, headers=HEADERS)
            assert answer.status_code == 204, answer.text
            turn += 1


def warmed(nodes: Nodes) -> None:
    """Wait until no node loads anything any more."""
    for url in nodes.urls.values():
        while nodes.http.get(url + "/health").json()["warming"]["loading"]:
            time.sleep(0.2)


def latencies(nodes: Nodes, first_ms: int, last_ms: int, rounds: int) -> dict[str, float]:
    """Return the median latency of each query, milliseconds."""
    url, found = next(iter(nodes.urls.values())), {}
    for name, path in QUERIES.items():
        took = []
        for _ in range(rounds):
            asked = url + path.format(start=first_ms / 1000, end=last_ms / 1000)
            began_s = time.perf_counter()
            answer = nodes.http.get(asked)
            took.append((time.perf_counter() - began_s) * 1_000)
            assert answer.status_code == 200, answer.text
            assert "x-tocsin-partial" not in answer.headers
        found[name] = statistics.median(took)
    return found


def measure(count: int, series: int, steps: int, rounds: int) -> Result:
    """Run one size."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="shards-") as directory:
        names = tuple("abc"[:count])
        settings = {"TOCSIN_STEP": "10s", "TOCSIN_NEW_SERIES_PER_MINUTE": "10000000"}
        with (
            PostgresServer() as server,
            nodes_in(Path(directory), names, server.empty_database(), **settings) as nodes,
        ):
            last_ms = int(time.time()) // 60 * 60_000
            first_ms = last_ms - (steps + 5) * STEP_MS
            sent = [bodies(series, 2_000, first_ms + n * STEP_MS) for n in range(steps + 5)]
            send(nodes, sent[:5])  # series are new, kernels are loaded
            warmed(nodes)
            before_s, began_s = nodes.cpu_s(), time.perf_counter()
            send(nodes, sent[5:])
            took_s, cpu_s = time.perf_counter() - began_s, nodes.cpu_s() - before_s
            found = latencies(nodes, first_ms, last_ms, rounds)
    samples = series * steps
    return Result(
        nodes=count,
        load=load,
        cpu_us=cpu_s / samples * 1e6,
        samples_s=samples / took_s,
        latency_ms=found,
    )


def main() -> int:
    """Print what each size took."""
    parser = argparse.ArgumentParser(prog="scripts/bench cluster", description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for count in chosen.nodes:
        result = measure(count, chosen.series, chosen.steps, chosen.rounds)
        if chosen.json:
            print(json.dumps(asdict(result)), flush=True)
            continue
        shown = ", ".join(f"{name} {ms:.0f} ms" for name, ms in result.latency_ms.items())
        print(
            f"{count} nodes, load {result.load:.1f}: {result.cpu_us:.2f} us CPU a sample, "
            f"{result.samples_s:,.0f} samples/s; {shown}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
