"""The systems that are compared, each with its own way to start and to ask."""

from __future__ import annotations

import os
import shutil
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from benchmarks.metrics.process import Server, free_port, get
from benchmarks.metrics.workload import NAME, STEP_MS

QUERIES = ("group_by", "filter", "top_k", "single_series")
_PROM = {
    "group_by": f"sum by (app) ({NAME})",
    "filter": f'sum by (zone) ({NAME}{{app="app-007"}})',
    "top_k": f"topk(5, sum by (app) ({NAME}))",
    "single_series": f'{NAME}{{instance="i-00-0000077"}}',
}
_ATLAS = {
    "group_by": f"name,{NAME},:eq,:sum,(,app,),:by",
    "filter": f"name,{NAME},:eq,app,app-007,:eq,:and,:sum,(,zone,),:by",
    "top_k": f"name,{NAME},:eq,:sum,(,app,),:by,max,5,:topk",
    "single_series": f"name,{NAME},:eq,instance,i-00-0000077,:eq,:and,:sum",
}


class Target(Protocol):
    """One system under test."""

    name: str
    server: Server
    write_url: str

    def lines(self, query: str, start_ms: int, end_ms: int) -> int:
        """Ask one of :data:`QUERIES` over a range; return the number of lines answered."""
        ...


@dataclass(slots=True)
class Prometheus:
    """Prometheus or VictoriaMetrics: both speak the same query API."""

    name: str
    server: Server
    write_url: str
    query_url: str

    def lines(self, query: str, start_ms: int, end_ms: int) -> int:
        """Ask by ``query_range``."""
        parameters = {
            "query": _PROM[query],
            "start": start_ms // 1000,
            "end": end_ms // 1000,
            "step": STEP_MS // 1000,
            "nocache": 1,
        }
        reply = orjson.loads(get(f"{self.query_url}?{urllib.parse.urlencode(parameters)}"))
        return len(reply["data"]["result"])


@dataclass(slots=True)
class Tocsin:
    """``tocsin serve``, asked in the stack language."""

    name: str
    server: Server
    write_url: str
    graph_url: str

    def lines(self, query: str, start_ms: int, end_ms: int) -> int:
        """Ask by ``graph``; its range leaves out the start."""
        parameters = {
            "q": _ATLAS[query],
            "s": start_ms - STEP_MS,
            "e": end_ms,
            "step": f"{STEP_MS // 1000}s",
            "format": "std.json",
        }
        reply = orjson.loads(get(f"{self.graph_url}?{urllib.parse.urlencode(parameters)}"))
        return len(reply["legend"])


def make_tocsin(directory: Path) -> Target:
    """Return ``tocsin serve`` with one tier, as the peers have: hot blocks, log and checkpoints."""
    return _tocsin(directory, "tocsin", history="off")


def make_tocsin_with_history(directory: Path) -> Target:
    """Return ``tocsin serve`` with the embedded history beside the hot tier."""
    return _tocsin(directory, "tocsin_with_history", history="embedded")


def _tocsin(directory: Path, name: str, *, history: str) -> Target:
    port = free_port()
    data = directory / "data"
    settings = {
        "DATA_DIR": str(data),
        "STEP": "60s",
        "HOT_WINDOW": "7h",  # six hours of data, and the time that the run itself takes
        "HISTORY": history,
        "API_PORT": str(port),
        "OTLP_HTTP_PORT": "0",
        "OTLP_GRPC_PORT": "0",
        "SPECTATOR_PORT": "0",
    }
    environment = {**os.environ, **{f"TOCSIN_{key}": value for key, value in settings.items()}}
    command = [sys.executable, "-m", "tocsin", "serve"]
    root = str(Path(__file__).parents[2])
    environment["PYTHONPATH"] = root
    url = f"http://127.0.0.1:{port}"
    server = Server(command, data, f"{url}/health", environment)
    return Tocsin(name, server, f"{url}/api/v1/write", f"{url}/api/v1/graph")


def make_prometheus(directory: Path) -> Target | None:
    """Return Prometheus with its remote-write receiver, or None when it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        return None
    (directory / "prometheus.yml").write_text("global: {}\n")
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--web.enable-remote-write-receiver",
        "--query.max-samples=1000000000",
        "--log.level=error",
    ]
    server = Server(command, directory / "data", f"{url}/-/ready", os.environ)
    return Prometheus("prometheus", server, f"{url}/api/v1/write", f"{url}/api/v1/query_range")


def make_victoria_metrics(directory: Path) -> Target | None:
    """Return VictoriaMetrics, or None when it is not installed."""
    program = shutil.which("victoria-metrics")
    if program is None:
        return None
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        program,
        f"-storageDataPath={directory / 'data'}",
        f"-httpListenAddr={url.removeprefix('http://')}",
        "-retentionPeriod=1",
        "-search.maxSamplesPerQuery=1000000000",
        "-search.maxUniqueTimeseries=5000000",
        "-search.latencyOffset=0s",
        "-loggerLevel=ERROR",
    ]
    server = Server(command, directory / "data", f"{url}/health", os.environ)
    name = "victoria_metrics"
    return Prometheus(name, server, f"{url}/api/v1/write", f"{url}/api/v1/query_range")


MAKERS = {
    "tocsin": make_tocsin,
    "tocsin_with_history": make_tocsin_with_history,
    "prometheus": make_prometheus,
    "victoria_metrics": make_victoria_metrics,
}
