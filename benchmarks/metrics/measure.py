"""One system under one workload: everything that is reported of it."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from dataclasses import dataclass

from benchmarks.metrics.load import send_rounds
from benchmarks.metrics.targets import QUERIES, Target
from benchmarks.metrics.workload import Bodies

_REPEATS = 5
_SLOW_S = 3.0


@dataclass(slots=True, kw_only=True)
class Figures:
    """What was measured; latencies in milliseconds.

    Processor time stands beside the rate because a machine that does other things shows the one
    as it is and the other too low.
    """

    samples_per_s: float
    cpu_ns_per_sample: float
    query_ms: dict[str, float]
    busy_query_p50_ms: float
    busy_query_p99_ms: float
    rss_mb: float
    disk_bytes_per_sample: float
    restart_s: float


def measure(target: Target, bodies: Bodies) -> Figures:
    """Load ``bodies`` into ``target``, ask, kill it with -9 and start it again."""
    samples = bodies.workload.samples
    *most, last = bodies.files
    quiet = most or [last]
    target.server.start()
    try:
        cpu_s = target.server.cpu_s()
        seconds = send_rounds(target.write_url, quiet)
        cpu_s = target.server.cpu_s() - cpu_s
        acknowledged = samples * len(quiet) / len(bodies.files)
        _settle(target, bodies)
        busy = _ask_while_sending(target, bodies) if most else [0.0]
        queries = {query: _latency_ms(target, query, bodies) for query in QUERIES}
        rss = target.server.rss_bytes()
        restart_s = _restart(target, bodies)
        target.server.stop()
        return Figures(
            samples_per_s=acknowledged / seconds,
            cpu_ns_per_sample=cpu_s / acknowledged * 1e9,
            query_ms=queries,
            busy_query_p50_ms=statistics.median(busy),
            busy_query_p99_ms=sorted(busy)[int(len(busy) * 0.99)],
            rss_mb=rss / 1e6,
            disk_bytes_per_sample=target.server.disk_bytes() / samples,
            restart_s=restart_s,
        )
    finally:
        target.server.stop(signal.SIGKILL)


def _ask(target: Target, query: str, bodies: Bodies) -> float:
    begun = time.perf_counter()
    lines = target.lines(query, bodies.start_ms, bodies.end_ms)
    elapsed_ms = (time.perf_counter() - begun) * 1000
    if not lines:
        raise RuntimeError(f"{target.name} answered nothing to {query}")
    return elapsed_ms


def _settle(target: Target, bodies: Bodies) -> None:
    """Wait until the target shows what it acknowledged: some keep the newest back for seconds."""
    deadline = time.monotonic() + 30
    while not target.lines("group_by", bodies.start_ms, bodies.end_ms):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{target.name} shows nothing 30 s after its last acknowledgement")
        time.sleep(0.1)


def _latency_ms(target: Target, query: str, bodies: Bodies) -> float:
    """Return the median latency; slow answers are not repeated."""
    first = _ask(target, query, bodies)
    if first > _SLOW_S * 1000:
        return first
    return statistics.median(_ask(target, query, bodies) for _ in range(_REPEATS))


def _ask_while_sending(target: Target, bodies: Bodies) -> list[float]:
    """Send the last round while the group-by is asked again and again."""
    latencies: list[float] = []
    sender = threading.Thread(target=send_rounds, args=(target.write_url, bodies.files[-1:]))
    sender.start()
    while sender.is_alive() or not latencies:
        latencies.append(_ask(target, "group_by", bodies))
    sender.join()
    return latencies


def _restart(target: Target, bodies: Bodies) -> float:
    """Kill with -9; return the seconds from the new start until the group-by is answered."""
    before = target.lines("group_by", bodies.start_ms, bodies.end_ms)
    target.server.stop(signal.SIGKILL)
    begun = time.perf_counter()
    target.server.start()
    _settle(target, bodies)
    after = target.lines("group_by", bodies.start_ms, bodies.end_ms)
    if after != before:
        raise RuntimeError(f"{target.name} answers {after} lines after a restart, {before} before")
    return time.perf_counter() - begun
