"""Atlas's demo data set: playback starts of several devices, latencies, and labelled outages."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from benchmarks.conformance.fixtures import STEP_MS, constant
from benchmarks.conformance.java_random import JavaRandom, string_hash
from collectors.model import FloatArray, IntArray
from collectors.stacklang.numeric.percentiles import BOUNDS, bucket_index
from collectors.stacklang.testing.memory import Function, MemoryDatabase

_DAY_MS = 86_400_000
_NOISE_SIZE = 31
_OFFSETS_SIZE = 41
# Of each device: nodes, least and largest rate, noise.
_SPS = {
    "silverlight": (30, 50.0, 300.0, 5.0),
    "xbox": (12, 40.0, 220.0, 5.0),
    "wii": (11, 20.0, 240.0, 8.0),
    "ps3": (22, 40.0, 260.0, 15.0),
    "appletv": (5, 3.0, 40.0, 5.0),
    "psvita": (3, 0.2, 1.2, 0.6),
}
_TIMER_NODES = {
    "silverlight": 300,
    "xbox": 120,
    "wii": 111,
    "ps3": 220,
    "appletv": 10,
    "psvita": 3,
}
_LATENCY = {"silverlight": (300, 600.0, 5.0), "xbox": (120, 520.0, 5.0), "wii": (111, 440.0, 8.0)}


def wave(low: float, high: float, length_ms: int) -> Function:
    """Return a sine between two values."""
    size = length_ms // STEP_MS
    sines = np.sin(np.arange(size) * STEP_MS * 2 * math.pi / length_ms)
    amplitude = (high - low) / 2

    def function(times_ms: IntArray) -> FloatArray:
        return amplitude * sines[times_ms // STEP_MS % size] + low + amplitude

    return function


@functools.cache
def _noise_offsets(size: int, level: float) -> FloatArray:
    random = JavaRandom(42)
    offsets = np.empty(size)
    for index in range(size):
        value = level * random.next_double()
        offsets[index] = value if random.next_boolean() else -value
    return offsets


def noise(size: int, level: float, base: Function) -> Function:
    """Return a series with repeating noise, never below zero."""
    offsets = _noise_offsets(size, level)

    def function(times_ms: IntArray) -> FloatArray:
        return np.maximum(base(times_ms) + offsets[times_ms % size], 0.0)

    return function


def interval(normal: Function, other: Function, start_ms: int, end_ms: int) -> Function:
    """Return ``normal`` with ``other`` from start up to end."""

    def function(times_ms: IntArray) -> FloatArray:
        inside = (times_ms >= start_ms) & (times_ms < end_ms)
        return np.where(inside, other(times_ms), normal(times_ms))

    return function


@functools.cache
def demo() -> MemoryDatabase:
    """Return the data set, ``StaticDatabase.demo``."""
    database = MemoryDatabase(STEP_MS)
    for part in (_playback_starts, _start_latency, _request_latency, _alert_set):
        for tags, function in part():
            database.add_function({**tags, "atlas.dstype": "gauge"}, function)
    return database


Series = Iterator[tuple[dict[str, str], Function]]


def _node_tags(app: str, node: str, stack: str | None) -> dict[str, str]:
    cluster = f"{app}-{stack}" if stack else app
    return {"nf.app": app, "nf.cluster": cluster, "nf.asg": f"{cluster}-v042", "nf.node": node}


def _playback_starts() -> Series:
    for stack, (nodes, low, high, level) in _SPS.items():
        ideal = wave(low, high, _DAY_MS)
        kinds = {
            "ideal": ideal,
            "low-noise": noise(_NOISE_SIZE, level, ideal),
            "high-noise": noise(_NOISE_SIZE, 4 * level, ideal),
        }
        for index in range(nodes):
            tags = _node_tags("nccp", f"{stack}-{index:04x}", stack)
            for kind, function in kinds.items():
                yield {**tags, "name": "sps", "type": kind, "type2": kind.upper()}, function


def _start_latency() -> Series:
    for stack, nodes in _TIMER_NODES.items():
        _, low, high, level = _SPS[stack]
        count = noise(_NOISE_SIZE, 4 * level, wave(low, high, _DAY_MS))
        for index in range(nodes):
            tags = _node_tags("nccp", f"{stack}-{index:04x}", stack)
            yield {**tags, "name": "poller.asg.instance"}, constant(1.0)
            up = 1.0 if index % 2 == 0 else 0.0
            yield {**tags, "name": "DiscoveryStatus_nccp_UP"}, constant(up)
            latency = {**tags, "name": "playback.startLatency"}
            yield {**latency, "statistic": "count"}, count
            offsets = _latency_offsets(tags["nf.node"])
            for statistic in ("totalTime", "totalOfSquares"):
                yield {**latency, "statistic": statistic}, _scaled(count, offsets)
            yield {**latency, "statistic": "max"}, _scaled(constant(1.0), offsets)


def _latency_offsets(node: str) -> FloatArray:
    random = JavaRandom(string_hash(node))
    return np.array([0.25 * abs(random.next_gaussian()) for _ in range(_OFFSETS_SIZE)])


def _scaled(base: Function, offsets: FloatArray) -> Function:
    def function(times_ms: IntArray) -> FloatArray:
        return base(times_ms) * offsets[times_ms % len(offsets)]

    return function


def _request_latency() -> Series:
    series: list[Function] = []
    used: set[int] = set()
    for stack, (size, level, noise_level) in _LATENCY.items():
        function = noise(size, noise_level, constant(level))
        series.append(function)
        tags = _node_tags("nccp", f"{stack}-node", stack)
        yield {**tags, "name": "requestLatency"}, function
        possible = level + _noise_offsets(size, noise_level)
        used |= {bucket_index(value) for value in possible.tolist()}
    for bucket in sorted(used):
        tags = {"name": "requestLatency", "percentile": f"D{bucket:04X}"}
        yield tags, _bucket_count(series, bucket)


def _bucket_count(series: list[Function], bucket: int) -> Function:
    def function(times_ms: IntArray) -> FloatArray:
        count = np.zeros(len(times_ms))
        for values in series:
            # A bucket holds what is below its bound and not below the one before.
            count += np.searchsorted(BOUNDS, np.floor(values(times_ms)), side="right") == bucket
        return count / 60

    return function


def _at(day: int, hour: int, minute: int, month: int = 1) -> int:
    return int(datetime(2012, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def _alert_set() -> Series:
    tags = _node_tags("alerttest", "alert1", None)
    outage = (_at(1, 5, 0), _at(1, 6, 0))
    yield {**tags, "name": "requestsPerSecond"}, _requests_with_outages()
    normal = noise(_NOISE_SIZE, 4.0, constant(20.0))
    busy = noise(_NOISE_SIZE, 20.0, constant(80.0))
    yield (
        {**tags, "name": "ssCpuUser"},
        interval(normal, busy, _at(1, 5, 0), _at(1, 7, 5, month=2)),
    )
    yield (
        {**tags, "name": "DiscoveryStatus_UP"},
        interval(constant(1.0), constant(0.0), *outage),
    )
    yield (
        {**tags, "name": "DiscoveryStatus_DOWN"},
        interval(constant(0.0), constant(1.0), *outage),
    )


def _requests_with_outages() -> Function:
    function = noise(_NOISE_SIZE, 25.0, wave(50.0, 300.0, _DAY_MS))
    function = interval(function, constant(0.0), _at(1, 5, 0), _at(1, 6, 38))
    function = interval(function, constant(0.0), _at(1, 7, 4, month=2), _at(1, 7, 5, month=2))
    fast = noise(_NOISE_SIZE, 25.0, wave(50.0, 300.0, 137 * STEP_MS))
    return interval(function, fast, _at(2, 4, 22), _at(2, 6, 0))
