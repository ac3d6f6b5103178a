"""How full a service is: metrics of processes, runtimes and containers, in the order of use.

Sources: OpenTelemetry semantic conventions (process, container, jvm, go, nodejs, v8js, dotnet,
db.client.connection, http.server.active_requests) and Prometheus's client libraries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One way to say how full something is.

    Attributes:
        title: What is drawn.
        unit: Of the values.
        aggregate: How instances and pools come together.
    """

    title: str
    unit: str
    aggregate: str


def _sum(title: str, unit: str) -> Gauge:
    return Gauge(title=title, unit=unit, aggregate=":sum")


def _fullest(title: str, unit: str) -> Gauge:
    return Gauge(title=f"{title}, fullest instance", unit=unit, aggregate=":max")


GAUGES: dict[str, Gauge] = {
    "container.cpu.usage": _sum("Container processor", "cores"),
    "container.cpu.time": _sum("Container processor", "cores"),
    "container.memory.usage": _sum("Container memory", "By"),
    "container_memory_working_set_bytes": _sum("Container memory", "By"),
    "process.cpu.utilization": _fullest("Processor", "ratio"),
    "process.cpu.time": _sum("Processor", "cores"),
    "process_cpu_seconds_total": _sum("Processor", "cores"),
    "process.runtime.cpython.cpu.utilization": _fullest("Processor", "ratio"),
    "process.memory.usage": _sum("Memory", "By"),
    "process_resident_memory_bytes": _sum("Memory", "By"),
    "process.runtime.cpython.memory": _sum("Memory", "By"),
    "jvm.cpu.recent_utilization": _fullest("JVM processor", "ratio"),
    "jvm.memory.used": _sum("JVM memory", "By"),
    "jvm_memory_used_bytes": _sum("JVM memory", "By"),
    "jvm.thread.count": _sum("JVM threads", ""),
    "go.memory.used": _sum("Go memory", "By"),
    "go.goroutine.count": _sum("Goroutines", ""),
    "go_goroutines": _sum("Goroutines", ""),
    "nodejs.eventloop.utilization": _fullest("Event loop", "ratio"),
    "nodejs.eventloop.delay.p99": _fullest("Event loop delay p99", "s"),
    "nodejs_eventloop_lag_seconds": _fullest("Event loop lag", "s"),
    "v8js.memory.heap.used": _sum("V8 heap", "By"),
    "dotnet.process.cpu.time": _sum("Processor", "cores"),
    "dotnet.process.memory.working_set": _sum("Memory", "By"),
    "http.server.active_requests": _sum("Requests at work", ""),
    "db.client.connection.count": _sum("Database connections", ""),
    "db.client.connections.usage": _sum("Database connections", ""),
    "hikaricp_connections_active": _sum("Database connections", ""),
    "process.open_file_descriptor.count": _fullest("Open files", ""),
    "process_open_fds": _fullest("Open files", ""),
}
"""Metric to what it says."""


def gauges_among(names: Iterable[str]) -> list[tuple[str, Gauge]]:
    """Return which of some metrics say how full something is, at most eight, each thing once."""
    present = set(names)
    found: dict[str, tuple[str, Gauge]] = {}
    for name, gauge in GAUGES.items():
        if name in present:
            found.setdefault(gauge.title, (name, gauge))
    return list(found.values())[:MAX_SHOWN]
