"""Metrics behind the hot window: blocks in, aggregated lines out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from collectors.model import FloatArray, SeriesKind, Tags, kind_of
from collectors.stacklang.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.store.history import schema
from collectors.store.history.engine import HistoryEngine, quoted
from collectors.store.history.predicates import condition
from collectors.store.line_merge import sort_groups

_DAY_MS = 86_400_000
_FOLD = {
    Aggregate.SUM: "sum(v)",
    Aggregate.ALL: "sum(v)",
    Aggregate.COUNT: "sum(v)",
    Aggregate.MIN: "min(v)",
    Aggregate.MAX: "max(v)",
}


class MetricHistory:
    """Samples by step in the ClickHouse dialect.

    Args:
        engine: The connection.
        step_ms: Base step of what is written.
    """

    def __init__(self, engine: HistoryEngine, *, step_ms: int) -> None:
        self._engine = engine
        self._step_ms = step_ms
        for table in (schema.SERIES, schema.SAMPLES):
            engine.command(table.format(database=engine.database))

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    def write_series(self, series: Iterable[tuple[int, Tags]]) -> None:
        """Keep fingerprints with their tags; writing one again changes nothing."""
        rows = [
            orjson.dumps({"series": number, "kind": kind_of(tags).value, "tags": dict(tags)})
            for number, tags in series
        ]
        if rows:
            self._engine.insert("metric_series", b"\n".join(rows), fmt="JSONEachRow")

    def write_samples(
        self,
        fingerprint: NDArray[np.uint64],
        time_ms: NDArray[np.int64],
        value: FloatArray,
    ) -> None:
        """Keep normalised values, three columns of one length; a later write of a step wins."""
        for day in np.unique(time_ms // _DAY_MS):
            chosen = time_ms // _DAY_MS == day
            rows = np.empty(int(chosen.sum()), dtype=schema.SAMPLE_ROW)
            rows["series"] = fingerprint[chosen]
            rows["time"] = time_ms[chosen]
            rows["value"] = value[chosen]
            self._engine.insert("metric_samples", rows)

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request`` from what was written."""
        every = request.aggregate is Aggregate.ALL
        columns = self._engine.columns(self._all_sql(request) if every else self._sql(request))
        window = request.window
        if not columns or not len(columns[0]):
            return Lines(tags=[], values=np.empty((0, window.steps)))
        *groups, at, value = columns
        tags: Sequence[Tags]
        if every:
            rows, tags = _rows_of_series(groups[0], groups[1])
        else:
            rows, tags = _rows_of_groups(groups, request.group_by, len(at))
        values = np.full((len(tags), window.steps), np.nan)
        values[rows, np.asarray(at, dtype=np.int64)] = np.asarray(value, dtype=np.float64)
        lines = Lines(tags=tags, values=values)
        return lines if every else sort_groups(lines, request.group_by)

    def drop_before(self, time_ms: int) -> None:
        """Drop whole days that ended before ``time_ms``."""
        names = self._engine.columns(
            "SELECT DISTINCT partition FROM system.parts WHERE active AND table = 'metric_samples' "
            f"AND database = {quoted(self._engine.database)}"
        )
        oldest = np.datetime_as_string(np.datetime64(time_ms, "ms"), "D").replace("-", "")
        for name in names[0] if names else ():
            if str(name) < oldest:
                table = f"{self._engine.database}.metric_samples"
                self._engine.command(f"ALTER TABLE {table} DROP PARTITION {name}")

    def check(self) -> list[str]:
        """Have the engine verify its parts; return a sentence for each damaged one."""
        damaged = []
        for table in ("metric_series", "metric_samples"):
            found = self._engine.columns(
                f"CHECK TABLE {self._engine.database}.{table} "
                "SETTINGS check_query_single_value_result = 0"
            )
            for part, passed, message in zip(*found, strict=True) if found else ():
                if not passed:
                    damaged.append(f"{table}: part {part} is damaged: {message}")
        return damaged

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

    def _sql(self, request: Fetch) -> str:
        keys = [f"tags[{quoted(key)}]" for key in request.group_by]
        names = [f"g{i}" for i in range(len(keys))]
        has_keys = "".join(f" AND mapContains(tags, {quoted(key)})" for key in request.group_by)
        groups = "".join(f"{key} AS {name}, " for key, name in zip(keys, names, strict=True))
        return (
            f"SELECT {groups}at, {_FOLD[request.aggregate]} FROM ({self._by_series(request)}) AS c "
            f"INNER JOIN (SELECT series, tags FROM {self._engine.database}.metric_series FINAL "
            f"WHERE {condition(request.query)}{has_keys}) AS s ON c.series = s.series "
            f"GROUP BY {', '.join([*names, 'at'])}"
        )

    def _all_sql(self, request: Fetch) -> str:
        return (
            f"SELECT c.series, tags, at, v FROM ({self._by_series(request)}) AS c "
            f"INNER JOIN (SELECT series, tags FROM {self._engine.database}.metric_series FINAL) "
            "AS s ON c.series = s.series ORDER BY c.series"
        )

    def _by_series(self, request: Fetch) -> str:
        """Consolidate each matching series: rows (series, at, v)."""
        window = request.window
        before = window.start_ms - window.step_ms
        database = self._engine.database
        matching = (
            f"SELECT series, kind FROM {database}.metric_series FINAL "
            f"WHERE {condition(request.query)}"
        )
        return (
            f"SELECT m.series AS series, at, {_consolidated(request, self._step_ms)} AS v FROM ("
            f"SELECT series, intDiv(toUnixTimestamp64Milli(time) - {before + 1}, {window.step_ms}) "
            "AS at, sum(value) AS total, count() AS present, min(value) AS low, max(value) AS high "
            f"FROM {database}.metric_samples FINAL WHERE {_between(before, window)} "
            f"AND series IN (SELECT series FROM ({matching})) GROUP BY series, at) AS m "
            f"INNER JOIN ({matching}) AS k ON m.series = k.series"
        )


def _consolidated(request: Fetch, step_ms: int) -> str:
    multiple = request.window.step_ms // step_ms
    total = "present" if request.aggregate is Aggregate.COUNT else "total"
    gauge = quoted(SeriesKind.GAUGE.value)
    return {
        Consolidation.AVG: f"{total} / if(kind = {gauge}, present, {multiple})",
        Consolidation.SUM: f"toFloat64({total})",
        Consolidation.MIN: "1." if total == "present" else "low",
        Consolidation.MAX: "1." if total == "present" else "high",
    }[request.consolidation]


def _between(before_ms: int, window: Window) -> str:
    after = f"fromUnixTimestamp64Milli({before_ms}, 'UTC')"
    until = f"fromUnixTimestamp64Milli({window.end_ms}, 'UTC')"
    return f"time > {after} AND time <= {until}"


def _rows_of_series(
    series: Sequence[int], tags: Sequence[Tags]
) -> tuple[NDArray[np.int64], list[Tags]]:
    _, first, rows = np.unique(
        np.asarray(series, dtype=np.uint64), return_index=True, return_inverse=True
    )
    return rows, [dict(tags[at]) for at in first.tolist()]


def _rows_of_groups(
    groups: Sequence[Sequence[str]], keys: tuple[str, ...], count: int
) -> tuple[NDArray[np.int64], list[Tags]]:
    numbers: dict[tuple[str, ...], int] = {}
    values = zip(*groups, strict=True) if groups else iter([()] * count)
    rows = [numbers.setdefault(tuple(value), len(numbers)) for value in values]
    return np.array(rows, dtype=np.int64), [dict(zip(keys, v, strict=True)) for v in numbers]
