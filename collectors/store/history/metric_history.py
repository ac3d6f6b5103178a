"""Metrics behind the hot window: blocks in, aggregated lines out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from collectors.model import FloatArray, Tags, kind_of
from collectors.stacklang.database import Aggregate, Fetch, Lines
from collectors.store.history import schema
from collectors.store.history.engine import HistoryEngine
from collectors.store.history.fetch_sql import every_series_sql, grouped_sql, partitions_sql
from collectors.store.line_merge import sort_groups

_DAY_MS = 86_400_000


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
        make = every_series_sql if every else grouped_sql
        sql = make(request, self._engine.database, self._step_ms)
        columns = self._engine.columns(sql)
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
        database = self._engine.database
        names = self._engine.columns(partitions_sql(database, "metric_samples"))
        oldest = np.datetime_as_string(np.datetime64(time_ms, "ms"), "D").replace("-", "")
        for name in names[0] if names else ():
            if str(name) < oldest:
                self._engine.command(f"ALTER TABLE {database}.metric_samples DROP PARTITION {name}")

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
