"""Three real ``tocsin serve`` on loopback that divide the series, and a writer that remembers."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from collectors.clock import SystemClock
from collectors.promql.evaluation.query import over_range
from collectors.promql.vectors.values import Vector
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

TOKEN = "a token of nodes"
STEP_MS = 1_000
NAMES = ("a", "b", "c")
HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
EXPRESSIONS = (
    "count(heat)",
    "sum by (job) (heat)",
    "max by (job, zone) (max_over_time(heat[5s]))",
    "topk(3, heat)",
    "sum(rate(hits_total[10s]))",
    "quantile by (zone) (0.9, heat)",
    "heat - on (job, instance) group_left () min by (job, instance) (heat)",
)
# By the store's path, and of its own hot window: in no test does a step leave it.
_PORTS = ("OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Nodes:
    """The processes, each of which may be killed and started again.

    Args:
        directory: Where each has its data.
        names: What they are called; one alone is no cluster.
        database_url: Of the PostgreSQL in which they agree.
        environment: Settings besides.
    """

    def __init__(
        self,
        directory: Path,
        names: tuple[str, ...] = NAMES,
        database_url: str = "",
        **environment: str,
    ) -> None:
        self._directory = directory
        self._database_url = database_url
        self._environment = environment
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self._ports = ports
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.http = httpx2.Client(trust_env=False, timeout=20)

    def start(self, *names: str) -> None:
        """Start nodes and wait until they listen."""
        for name in names:
            self._running[name] = self._started(name)
        for name in names:
            stdout = self._running[name].stdout
            assert stdout is not None
            assert stdout.readline(), f"node {name} did not start"
        self.known()

    def known(self, timeout_s: float = 30) -> None:
        """Wait until all that run know of one another."""
        running = {name for name in self._running if len(self.urls) > 1}
        deadline_s = time.monotonic() + timeout_s
        for name in running:
            while running - self._alive(name):
                assert time.monotonic() < deadline_s, f"{name} knows {self._alive(name)}"

    def _alive(self, name: str) -> set[str]:
        told = self.http.get(self.urls[name] + "/api/v2/cluster").json()
        return {one["name"] for one in told["nodes"] if one["alive"]}

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        home = self._directory / name
        home.mkdir(exist_ok=True)
        others = {f"TOCSIN_{port}_PORT": "0" for port in _PORTS}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        own = {
            "TOCSIN_API_PORT": str(self._ports[name]),
            "TOCSIN_DATA_DIR": str(home),
            "TOCSIN_STEP": f"{STEP_MS}ms",
            "TOCSIN_CLUSTER": "shards" if len(self.urls) > 1 else "one",
            "TOCSIN_CLUSTER_NODE": name,
            "TOCSIN_CLUSTER_TOKEN": TOKEN,
            "TOCSIN_DATABASE_URL": self._database_url,
        }
        with (home / "stderr.txt").open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "tocsin", "serve", "--json"],
                env={**inherited, **others, **own, **self._environment},
                cwd=home,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def kill(self, name: str) -> None:
        """End a node as a machine that loses power does, but for its disk."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def cpu_s(self) -> float:
        """Return the processor time that all running nodes have taken."""
        ticks = 0
        for process in self._running.values():
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def health(self, name: str) -> Mapping[str, Any]:
        """Return how a node sees its copies."""
        copies: Mapping[str, Any] = self.http.get(self.urls[name] + "/health").json()["copies"]
        return copies

    def settled(self, timeout_s: float = 30) -> None:
        """Wait until no node owes another anything."""
        deadline_s = time.monotonic() + timeout_s
        while any(one["behind"] or one["owed_bytes"] for one in map(self.health, self._running)):
            assert time.monotonic() < deadline_s, {n: self.health(n) for n in self._running}

    def query(self, name: str, text: str, first_ms: int, last_ms: int) -> Mapping[str, Any]:
        """Return what a node answers, range by range of a step."""
        span = {"start": first_ms / 1000, "end": last_ms / 1000, "step": STEP_MS / 1000}
        answer = self.http.get(
            self.urls[name] + "/api/v1/query_range", params={"query": text, **span}
        )
        told: Mapping[str, Any] = answer.json()
        assert told["status"] == "success", told
        return told

    def close(self) -> None:
        """End all."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.communicate(timeout=20)
        self.http.close()


@contextmanager
def nodes_in(
    directory: Path, names: tuple[str, ...] = NAMES, database_url: str = "", **environment: str
) -> Iterator[Nodes]:
    """Start nodes; they are gone afterwards."""
    nodes = Nodes(directory, names, database_url, **environment)
    try:
        nodes.start(*names)
        yield nodes
    finally:
        nodes.close()


class Writer:
    """Sends samples by remote write, and keeps what was acknowledged in a store of its own.

    Args:
        nodes: To whom.
        directory: Of its store.
        seed: For what it sends and to whom.
    """

    def __init__(self, nodes: Nodes, directory: Path, seed: int = 1) -> None:
        self._nodes = nodes
        self._chance = random.Random(seed)
        self.store = MetricStore.open(
            directory, step_ms=STEP_MS, hot_window_ms=6 * 3_600_000, clock=SystemClock()
        )
        self.first_ms = self._last_ms = (int(time.time()) - 120) * 1_000
        self.acknowledged = self.repeated = 0
        self._totals: dict[tuple[str, str], float] = {}

    @property
    def last_ms(self) -> int:
        """The time of the newest samples."""
        return self._last_ms

    def write(self) -> None:
        """Send the samples of the next second to any node, or to another that takes them."""
        self._last_ms += 1_000
        body, count = self._body(), 0
        for name in self._anybody():
            try:
                answer = self._nodes.http.post(
                    self._nodes.urls[name] + "/api/v1/write", content=body, headers=HEADERS
                )
            except httpx2.HTTPError:
                self.repeated += 1
                continue
            if answer.status_code == 204:
                count = self.store.write_remote(body).accepted
                break
            assert answer.status_code >= 500, answer.text
            self.repeated += 1
        self.acknowledged += count

    def _anybody(self) -> list[str]:
        names = list(self._nodes.urls)
        self._chance.shuffle(names)
        return names

    def _body(self) -> bytes:
        series: list[tuple[dict[str, str], list[tuple[int, float]]]] = []
        for job in ("web", "api", "db", "mail"):
            for instance in map(str, range(10)):
                total = self._totals.get((job, instance), 0.0) + self._chance.randrange(20)
                self._totals[job, instance] = total
                labels = {"job": job, "instance": instance}
                hits = {"__name__": "hits_total", **labels}
                series.append((hits, [(self._last_ms, total)]))
                heat = {"__name__": "heat", **labels, "zone": instance[-1]}
                series.append((heat, [(self._last_ms, float(self._chance.randrange(1_000)))]))
        return write_request(series)

    def expected(self, text: str) -> dict[str, list[float]]:
        """Return what one store with everything that was acknowledged answers."""
        found = over_range(text, self.store.samples(), self.first_ms, self.last_ms, STEP_MS)
        assert isinstance(found.value, Vector)
        rows = np.where(found.value.present, found.value.values, np.nan).tolist()
        labels = found.value.labels.dicts()
        return {str(sorted(one.items())): row for one, row in zip(labels, rows, strict=True)}

    def compare(self, name: str) -> None:
        """Ask a node every expression, and compare."""
        steps = (self.last_ms - self.first_ms) // STEP_MS + 1
        for text in EXPRESSIONS:
            told = self._nodes.query(name, text, self.first_ms, self.last_ms)
            assert "warnings" not in told, told["warnings"]
            found = {}
            for series in told["data"]["result"]:
                row = [float("nan")] * steps
                for at, value in series["values"]:
                    row[round((at * 1_000 - self.first_ms) / STEP_MS)] = float(value)
                found[str(sorted(series["metric"].items()))] = row
            expected = self.expected(text)
            assert found.keys() == expected.keys(), text
            for key, row in expected.items():
                np.testing.assert_allclose(found[key], row, rtol=1e-9, equal_nan=True, err_msg=text)

    def close(self) -> None:
        """Release the store."""
        self.store.close()
