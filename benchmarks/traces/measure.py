"""How the figures are taken: over HTTP for what is acknowledged, in the engine for the many."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from benchmarks.metrics.process import Server, free_port
from benchmarks.traces.workload import RARE_USER, SPANS_A_TRACE, bodies, rows_sql
from collectors.history.engine import HistoryEngine
from collectors.traces.history.span_history import SPAN_TABLE, SpanHistory
from collectors.traces.search import TraceSearch
from collectors.traces.traceql.parser import parse

QUERIES = {
    "service": '{ resource.service.name = "service-3" }',
    "operation, slow": '{ resource.service.name = "service-3" && name = "GET /things/7" && '
    "duration > 60ms }",
    "errors": "{ status = error }",
    "a rare attribute": f'{{ .user.id = "{RARE_USER}" }}',
    "error below a service": '{ resource.service.name = "service-1" } >> { status = error }',
    "count": "{ status = error } | count() > 3",
    "nothing matches": '{ .user.id = "nobody" }',
}
ROUNDS = 15
_KEPT_ROUNDS = 7


@dataclass(slots=True)
class Figures:
    """What was measured; latencies in milliseconds by query, as (median, worst).

    ``kept_cpu_ms`` is the processor time of a search of history, which others on the machine
    change less.
    """

    sent_spans: int = 0
    sent_per_s: float = 0.0
    memory_mb: float = 0.0
    memory_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    disk_bytes_per_span: float = 0.0
    kept_spans: int = 0
    kept_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    kept_cpu_ms: dict[str, float] = field(default_factory=dict)
    our_rows_per_s: float = 0.0
    engine_rows_per_s: float = 0.0


def measure_server(directory: Path, traces: int, figures: Figures) -> None:
    """Send traces to a server of its own and search among what it holds in memory."""
    port, otlp = free_port(), free_port()
    environment = {
        **os.environ,
        "TOCSIN_API_PORT": str(port),
        "TOCSIN_OTLP_HTTP_PORT": str(otlp),
        "TOCSIN_OTLP_GRPC_PORT": str(free_port()),
        "TOCSIN_SPECTATOR_PORT": str(free_port()),
        "TOCSIN_DATA_DIR": str(directory / "data"),
    }
    command = [sys.executable, "-m", "tocsin", "serve"]
    url = f"http://127.0.0.1:{port}"
    server = Server(command, directory / "data", f"{url}/health", environment)
    length_ns = 1_200_000_000_000
    start_ns = time.time_ns() - length_ns - 60_000_000_000
    sent = list(bodies(traces, 400, start_ns, length_ns))
    server.start()
    try:
        begun = time.perf_counter()
        with ThreadPoolExecutor(2) as pool, httpx2.Client(timeout=120) as http:
            list(pool.map(lambda body: _send(http, f"http://127.0.0.1:{otlp}", body), sent))
        figures.sent_spans = traces * SPANS_A_TRACE
        figures.sent_per_s = figures.sent_spans / (time.perf_counter() - begun)
        with httpx2.Client(base_url=url, timeout=120) as http:
            for name, query in QUERIES.items():
                figures.memory_ms[name] = _timed(lambda q=query: _search(http, q))  # type: ignore[misc]
        figures.memory_mb = server.rss_bytes() / 1e6
    finally:
        server.stop()


def _send(http: httpx2.Client, url: str, body: bytes) -> None:
    headers = {"content-type": "application/x-protobuf"}
    while True:
        answer = http.post(f"{url}/v1/traces", content=body, headers=headers)
        if answer.status_code == 200:
            return
        if answer.status_code != 503:
            raise RuntimeError(f"{answer.status_code}: {answer.text[:200]}")
        time.sleep(float(answer.headers.get("retry-after", "1")))


def _search(http: httpx2.Client, query: str) -> None:
    start_ms = time.time_ns() // 1_000_000 - 7_200_000
    answer = http.get("/api/v2/traces", params={"q": query, "start_ms": start_ms})
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")


def measure_history(directory: Path, traces: int, figures: Figures) -> None:
    """Fill history within the engine, then search; and insert rows both ways."""
    engine = HistoryEngine.open(f"chdb://{directory / 'history'}")
    try:
        history = SpanHistory(engine)
        table = f"{engine.database}.{SPAN_TABLE}"
        length_ms = 6 * 3_600_000
        start_ms = time.time_ns() // 1_000_000 - length_ms
        part = 200_000
        begun = time.perf_counter()
        for first in range(0, traces, part):
            count = min(part, traces - first)
            engine.command(rows_sql(table, count, first, start_ms, length_ms, traces))
        figures.kept_spans = traces * SPANS_A_TRACE
        figures.engine_rows_per_s = figures.kept_spans / (time.perf_counter() - begun)
        engine.command(f"OPTIMIZE TABLE {table}")
        figures.disk_bytes_per_span = _disk(engine) / figures.kept_spans
        for name, query in QUERIES.items():
            wanted = TraceSearch(query=parse(query))
            begun_s = time.process_time()
            figures.kept_ms[name] = _timed(lambda w=wanted: history.search(w), _KEPT_ROUNDS)  # type: ignore[misc]
            spent_s = time.process_time() - begun_s
            figures.kept_cpu_ms[name] = spent_s * 1_000 / _KEPT_ROUNDS
        figures.our_rows_per_s = _insert(history)
    finally:
        engine.close()


def _disk(engine: HistoryEngine) -> int:
    sql = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table LIKE 'otel_traces%'"
    return int(engine.columns(sql)[0][0])


def _insert(history: SpanHistory) -> float:
    """Return how many spans a second our own way to history takes, row by row as text."""
    from collectors.traces.testing import make_span

    spans = [
        make_span(
            f"{n:x}",
            trace=f"{n // 5:x}",
            start_ms=time.time() * 1_000,
            attributes={"http.route": "/x", "user.id": f"user-{n}", "server.address": "10.0.0.1"},
        )
        for n in range(50_000)
    ]
    begun = time.perf_counter()
    for first in range(0, len(spans), 5_000):
        history.insert_spans(spans[first : first + 5_000])
    return len(spans) / (time.perf_counter() - begun)


def _timed(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    took: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1_000)
    return middle(took), max(took)


def middle(values: Sequence[float]) -> float:
    """Return the median of some values.

    >>> middle([3.0, 1.0, 2.0])
    2.0
    """
    return sorted(values)[len(values) // 2]
