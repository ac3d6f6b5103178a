"""Metrics behind the hot window: blocks in, aggregated lines out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import structlog
from numpy.typing import NDArray

from collectors.errors import ConfigError, QueryError, StorageError
from collectors.history import schema
from collectors.history.engine import HistoryEngine, quoted
from collectors.model import FloatArray, Tags, kind_of
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines
from collectors.stacklang.lines.line_merge import join_lines, overlay_lines, sort_groups
from collectors.stacklang.predicates.predicate import Query
from collectors.store.history.fetch_sql import (
    by_series_sql,
    every_series_sql,
    grouped_sql,
    tags_sql,
)
from collectors.store.history.rolled_days import DAY_MS, RolledDays
from collectors.store.history.rollups import RollupPolicy, roll_up_day, rolled_series_sql

_log = structlog.get_logger(__name__)
# Values of one answer: they are Python objects for a moment, some seventy bytes each.
MAX_VALUES = 5_000_000
# Series whose tags one answer lists: they are dictionaries, about a kilobyte each.
MAX_SERIES_LISTED = 100_000
# ClickHouse's TIMEOUT_EXCEEDED and MEMORY_LIMIT_EXCEEDED.
_OVER_BUDGET = re.compile(r"Code: (?:159|241)\b")


class MetricHistory:
    """Samples by step in the ClickHouse dialect.

    Args:
        engine: The connection.
        step_ms: Base step of what is written.
        rollup_step_ms: Step of rollups, a multiple of the base step that divides a day; None: five
            minutes or the next longer one that fits.
        policies: Which tags rollups leave out.
    """

    def __init__(
        self,
        engine: HistoryEngine,
        *,
        step_ms: int,
        rollup_step_ms: int | None = None,
        policies: Sequence[RollupPolicy] = (),
    ) -> None:
        rollup_step_ms = rollup_step_ms or _rollup_step_for(step_ms)
        if rollup_step_ms % step_ms or DAY_MS % rollup_step_ms:
            raise ConfigError(
                f"the rollup step, {rollup_step_ms} ms, must be a multiple of the step, "
                f"{step_ms} ms, and divide a day"
            )
        self._engine = engine
        self._step_ms = step_ms
        self._rollup_step_ms = rollup_step_ms
        self._policies = tuple(policies)
        engine.keep(schema.METRICS)
        if engine.reached:
            self._renew_tables()
        self._changing = threading.Lock()
        self._days = RolledDays(engine)

    def _renew_tables(self) -> None:
        """Give tables of an earlier version what new ones have; they are good as they are, too."""
        database = self._engine.database
        for table, changes in schema.NEWER.items():
            if self._engine.place(table).cluster:
                continue
            found = self._engine.columns(
                "SELECT create_table_query FROM system.tables "  # noqa: S608 - literals from quoted()
                f"WHERE database = {quoted(database)} AND name = {quoted(table)}"
            )
            if found and schema.KEPT in found[0][0]:
                continue
            try:
                for change in changes:
                    self._engine.command(f"ALTER TABLE {database}.{table} {change}")
            except StorageError as error:
                _log.warning("table stays as it was", table=table, reason=error.message)

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._step_ms

    @property
    def tidies(self) -> bool:
        """Whether this process is the one of several that rolls up and drops."""
        return self._engine.tidies()

    def has_samples(self) -> bool:
        """Return whether any samples are held."""
        return bool(self._days.with_samples())

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
        days = (time_ms - 1) // DAY_MS
        for day in np.unique(days):
            chosen = days == day
            rows = np.empty(int(chosen.sum()), dtype=schema.SAMPLE_ROW)
            rows["series"] = fingerprint[chosen]
            rows["time"] = time_ms[chosen]
            rows["value"] = value[chosen]
            self._engine.insert("metric_samples", rows)

    def write_late(
        self,
        fingerprint: NDArray[np.uint64],
        time_ms: NDArray[np.int64],
        value: FloatArray,
    ) -> NDArray[np.bool_]:
        """As :meth:`write_samples`, without days that are rolled up; return which were kept.

        A rollup holds one value a series and slot, which a few late samples must not replace.
        """
        with self._changing:
            rolled = np.array(sorted(self._rolled_before(time_ms)), dtype=np.int64)
            kept: NDArray[np.bool_] = ~np.isin((time_ms - 1) // DAY_MS * DAY_MS, rolled)
            self.write_samples(fingerprint[kept], time_ms[kept], value[kept])
        return kept

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request`` from samples, and from rollups where the samples are gone.

        A step that is no multiple of the rollups' has the value of the rollup that it ends in.

        Raises:
            QueryError: The answer would be too large.
            StorageError: The engine can't answer.
        """
        window = request.window
        behind = (self._days.samples_from_ms() - window.start_ms) // window.step_ms + 1
        behind = max(0, min(behind, window.steps))
        if not behind:
            return self._fetch_samples(request)
        seam_ms = window.start_ms + behind * window.step_ms
        older = replace(window, end_ms=seam_ms - window.step_ms)
        lines = self._fetch_older(replace(request, window=older))
        if behind < window.steps:
            newer = replace(request, window=replace(window, start_ms=seam_ms))
            lines = join_lines(lines, self._fetch_samples(newer))
        every = request.aggregate is Aggregate.ALL
        return lines if every else sort_groups(lines, request.group_by)

    def series_between(self, query: Query, first_ms: int, last_ms: int) -> tuple[list[Tags], bool]:
        """Return the tags of series that match and have steps that end within two times.

        Rollups are of slots: one that reaches into the times counts.

        Returns:
            The tags of at most :data:`MAX_SERIES_LISTED` series, and whether there are more.

        Raises:
            QueryError: It takes more than a query may.
            StorageError: The engine can't answer.
        """
        found: list[Tags] = []
        slot_ms = self._rollup_step_ms - 1
        for tables, until_ms in (
            (("metric_series", "metric_samples"), last_ms),
            (("metric_rollup_series", "metric_rollup"), last_ms + slot_ms),
        ):
            room = MAX_SERIES_LISTED + 1 - len(found)
            database = self._engine.database
            columns = self._answered(tags_sql(query, database, tables, first_ms, until_ms, room))
            found += [dict(tags) for tags in columns[0]] if columns else []
            if len(found) > MAX_SERIES_LISTED:
                return found[:MAX_SERIES_LISTED], True
        return found, False

    def roll_up(self, before_ms: int) -> int:
        """Roll up and drop the whole days of samples that ended before ``before_ms``.

        Returns:
            The number of days.
        """
        days = [day for day in self._days.with_samples() if day + DAY_MS <= before_ms]
        for day_ms in days:
            # No late sample may come between the rollup and the end of what it was made from.
            with self._changing:
                roll_up_day(
                    self._engine,
                    day_ms,
                    step_ms=self._step_ms,
                    rollup_step_ms=self._rollup_step_ms,
                    policies=self._policies,
                )
                self._days.add(day_ms)
                self._drop("metric_samples", day_ms)
        return len(days)

    def _fetch_samples(self, request: Fetch) -> Lines:
        sql = by_series_sql(request, self._engine.database, self._step_ms)
        return self._lines(request, sql, "metric_series")

    def _fetch_older(self, request: Fetch) -> Lines:
        """Answer from rollups, and from days among them that are not rolled up yet.

        Samples of such days were sent long after their time. A day is in one or the other.
        """
        lines = self._fetch_rollups(request)
        if not any(day_ms < request.window.end_ms for day_ms in self._days.with_samples()):
            return lines
        return overlay_lines(lines, self._fetch_samples(request))

    def _fetch_rollups(self, request: Fetch) -> Lines:
        window, rollup_ms = request.window, self._rollup_step_ms
        if not window.step_ms % rollup_ms:
            return self._fetch_rolled(request)
        at_ms = -(-window.times_ms // rollup_ms) * rollup_ms
        first_ms, last_ms = int(at_ms[0]), int(at_ms[-1])
        whole = replace(window, start_ms=first_ms, end_ms=last_ms, step_ms=rollup_ms)
        lines = self._fetch_rolled(replace(request, window=whole))
        values = lines.values[:, (at_ms - first_ms) // rollup_ms]
        if request.consolidation is Consolidation.SUM:
            values = values * (window.step_ms / rollup_ms)
        return Lines(tags=lines.tags, values=values)

    def _fetch_rolled(self, request: Fetch) -> Lines:
        database, rollup_ms = self._engine.database, self._rollup_step_ms
        sql = rolled_series_sql(request, database, rollup_ms, self._step_ms)
        return self._lines(request, sql, "metric_rollup_series")

    def _lines(self, request: Fetch, by_series: str, table: str) -> Lines:
        """Run a fetch over consolidated series."""
        every, database = request.aggregate is Aggregate.ALL, self._engine.database
        window = request.window
        most = max(1, MAX_VALUES // window.steps)
        statement = every_series_sql if every else grouped_sql
        columns = self._answered(statement(request, database, by_series, table, most + 1))
        if not columns or not any(columns[-1]):
            return Lines(tags=[], values=np.empty((0, window.steps)))
        *groups, at, value = columns
        if len(at) > most:
            raise QueryError(
                f"more than {most} lines x {window.steps} columns from history exceed {MAX_VALUES} "
                "values; narrow the query, group by fewer keys or take a larger step",
                kind="IllegalArgumentException",
            )
        tags: list[Tags]
        if every:
            tags = [dict(found) for found in groups[0]]
        else:
            keys = request.group_by
            rows = zip(*groups, strict=True) if groups else [()]
            tags = [dict(zip(keys, row, strict=True)) for row in rows]
        lines = Lines(tags=tags, values=_grid(at, value, window.steps))
        return lines if every else sort_groups(lines, request.group_by)

    def _answered(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return the columns of a fetch; one that asks for too much is the asker's to change."""
        try:
            return self._engine.columns(sql)
        except StorageError as error:
            if _OVER_BUDGET.search(error.message):
                raise QueryError(
                    "the query takes more of history's time or memory than one may; narrow it, ask "
                    "for a shorter time or take a larger step",
                    kind="IllegalArgumentException",
                ) from error
            raise

    def drop_before(self, time_ms: int) -> None:
        """Drop what is older: whole days of samples, whole months of rollups."""
        for day_ms in self._days.with_samples():
            if day_ms + DAY_MS <= time_ms:
                self._drop("metric_samples", day_ms)
        month = np.datetime_as_string(np.datetime64(time_ms, "ms"), "M").replace("-", "")
        for name in self._engine.partitions("metric_rollup"):
            if name < month:
                self._engine.drop_partition("metric_rollup", name)
        with self._changing:
            self._days.forget_before(time_ms)

    def _rolled_before(self, time_ms: NDArray[np.int64]) -> set[int]:
        """Return the days that are rolled up, for samples of some times."""
        oldest_ms = int(time_ms.min(initial=np.iinfo(np.int64).max))
        return self._days.now() if oldest_ms <= self._days.samples_from_ms() else set()

    def _drop(self, table: str, day_ms: int) -> None:
        name = np.datetime_as_string(np.datetime64(day_ms, "ms"), "D").replace("-", "")
        self._engine.drop_partition(table, name)

    def check(self) -> list[str]:
        """Have the engine verify its parts; return a sentence for each damaged one."""
        tables = ("metric_series", "metric_samples", "metric_rollup_series", "metric_rollup")
        return [line for table in tables for line in self._engine.check(table)]

    def give_back(self) -> None:
        """Return memory that writing took to the system."""
        self._engine.give_back()

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()


def _rollup_step_for(step_ms: int) -> int:
    """Return the shortest usual step from five minutes on that fits; else one that will not."""
    minutes = (5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1_440)
    return next((m * 60_000 for m in minutes if m * 60_000 % step_ms == 0), 300_000)


def _grid(at: Sequence[Sequence[int]], value: Sequence[Sequence[float]], steps: int) -> FloatArray:
    """Return lines whose values stand in the columns ``at``, the others missing."""
    values = np.full((len(at), steps), np.nan)
    rows = np.repeat(np.arange(len(at)), [len(columns) for columns in at])
    values[rows, np.concatenate([np.asarray(columns, dtype=np.int64) for columns in at])] = (
        np.concatenate([np.asarray(line, dtype=np.float64) for line in value])
    )
    return values
