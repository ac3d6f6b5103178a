"""The databases that cases are evaluated on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from collectors.model import FloatArray, IntArray
from collectors.stacklang.numeric.percentiles import bucket_index
from collectors.stacklang.testing.memory import Function, MemoryDatabase

STEP_MS = 60_000
_GAUGE = {"atlas.dstype": "gauge"}


def constant(value: float) -> Function:
    """Return a series with the same value at all times."""

    def function(times_ms: IntArray) -> FloatArray:
        return np.full(len(times_ms), value)

    return function


def constants() -> MemoryDatabase:
    """Return eleven gauges, 0 to 10."""
    database = MemoryDatabase(STEP_MS)
    for index in range(11):
        database.add_function({"name": str(index), "type": "constant"}, constant(float(index)))
    return database


def memdb() -> MemoryDatabase:
    """Return two rates and a rolled up one."""
    database = MemoryDatabase(STEP_MS)
    database.add({"name": "a"}, start_ms=STEP_MS, values=[1.0, 2.0, 3.0])
    database.add({"name": "b"}, start_ms=STEP_MS, values=[3.0, 2.0, 1.0])
    members = [[4.0, 5.0, 6.0], [5.0, 6.0, 7.0], [6.0, 7.0, 8.0]]
    database.add_rollup({"name": "c"}, start_ms=STEP_MS, members=members)
    return database


def memdb_gauge() -> MemoryDatabase:
    """Return four gauges with gaps."""
    nan = float("nan")
    database = MemoryDatabase(STEP_MS)
    rows = {
        "a": [1.0, 2.0, 3.0, 4.0],
        "b": [4.0, 3.0, 2.0, 1.0],
        "c": [3.0, 1.0, nan, nan],
        "d": [nan, 4.0, nan, nan],
    }
    for name, values in rows.items():
        database.add({"name": name, **_GAUGE}, start_ms=STEP_MS, values=values)
    return database


def _buckets(
    prefix: str, values: Iterable[tuple[float, float]], series: list[float]
) -> MemoryDatabase:
    """Return one series for each used bucket; each sample adds ``weight`` times ``series``."""
    weights: dict[int, float] = {}
    for value, weight in values:
        bucket = bucket_index(value)
        weights[bucket] = weights.get(bucket, 0.0) + weight
    database = MemoryDatabase(STEP_MS)
    for bucket, weight in weights.items():
        tags = {
            "name": "test",
            "mode": "even" if bucket % 2 == 0 else "odd",
            "percentile": f"{prefix}{bucket:04X}",
        }
        database.add(tags, start_ms=0, values=[weight * value for value in series])
    return database


def _one_each(scale: float = 1.0) -> list[tuple[float, float]]:
    return [(index * scale, 1 / 60) for index in range(100)]


def _bad_buckets() -> MemoryDatabase:
    database = MemoryDatabase(STEP_MS)
    for name in ("D000A", "D000a"):
        database.add({"name": "test", "percentile": name}, start_ms=0, values=[1 / 60, 1 / 60])
    return database


_NAN = float("nan")
_PERCENTILE_FIXTURES: dict[str, Callable[[], MemoryDatabase]] = {
    "input100": lambda: _buckets("D", _one_each(), [1.0, 1.0]),
    "inputTimer100": lambda: _buckets("T", _one_each(), [1.0, 1.0]),
    # The meters of spectator: a distribution summary of 0 to 99, a timer of as many milliseconds.
    "inputSpectatorDistSummary": lambda: _buckets("D", _one_each(), [1.0, 1.0]),
    "inputSpectatorTimer": lambda: _buckets("T", _one_each(1e6), [1.0, 1.0]),
    "inputNaN100": lambda: _buckets("D", _one_each(), [1.0, _NAN]),
    "inputNaN": lambda: _buckets("D", _one_each(), [_NAN, _NAN]),
    "inputBad100": _bad_buckets,
}


def database_for(name: str) -> MemoryDatabase:
    """Return the database that a case names.

    Raises:
        KeyError: There is none of that name.
    """
    makers = {"constants": constants, "memdb": memdb, "memdb_gauge": memdb_gauge}
    return {**makers, **_PERCENTILE_FIXTURES}[name]()


def static_range(first: int, last: int) -> MemoryDatabase:
    """Return ``StaticDatabase.range``: a series for each number, some of them prime."""
    database = MemoryDatabase(STEP_MS)
    width = len(str(last))
    for index in range(first, last + 1):
        tags = {"name": f"{index:0{width}d}", "class": "even" if index % 2 == 0 else "odd"}
        if index > 1 and all(index % divisor for divisor in range(2, index)):
            tags["prime"] = "probably"
        database.add_function(tags, constant(float(index)))
    return database
