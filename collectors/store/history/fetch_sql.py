"""A fetch as SQL: consolidate each series, join its tags, aggregate into groups.

Every statement answers the same however often a row was written: ``FINAL`` leaves one row of a
series and a time where several writers wrote them, and ``LIMIT 1 BY series`` one of a series' tags,
which shards that came later may have again.
"""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collectors.history.engine import quoted
from collectors.history.predicates import condition
from collectors.model import SeriesKind
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Query

_FOLD = {
    Aggregate.SUM: "sum(v)",
    Aggregate.COUNT: "sum(v)",
    Aggregate.MIN: "min(v)",
    Aggregate.MAX: "max(v)",
}


# What one statement may take before it is given up, so that nobody can exhaust the machine.
BUDGET = " SETTINGS max_memory_usage = 3000000000, max_execution_time = 30"


def grouped_sql(request: Fetch, database: str, by_series: str, table: str, limit: int) -> str:
    """Return a statement for a row a group: its keys, its column numbers, their values.

    Args:
        request: What is asked.
        database: Where the tables are.
        by_series: Statement for each series' consolidated values: rows (series, at, v).
        table: The table that has those series' tags.
        limit: Most groups.
    """
    keys = [f"tags[{quoted(key)}]" for key in request.group_by]
    names = [f"g{i}" for i in range(len(keys))]
    has_keys = "".join(f" AND mapContains(tags, {quoted(key)})" for key in request.group_by)
    groups = "".join(f"{key} AS {name}, " for key, name in zip(keys, names, strict=True))
    points = (
        f"SELECT {groups}at, {_FOLD[request.aggregate]} AS folded "
        f"FROM ({by_series}) AS c "
        f"INNER JOIN (SELECT series, tags FROM {database}.{table} FINAL "
        f"WHERE {condition(request.query)}{has_keys} LIMIT 1 BY series) AS s "
        "ON c.series = s.series "
        f"GROUP BY {', '.join([*names, 'at'])}"
    )
    return (
        f"SELECT {', '.join([*names, 'groupArray(at)', 'groupArray(folded)'])} FROM ({points})"
        f"{' GROUP BY ' + ', '.join(names) if names else ''} LIMIT {limit}{BUDGET}"
    )


def every_series_sql(request: Fetch, database: str, by_series: str, table: str, limit: int) -> str:
    """Return a statement for a row a series: its tags, its column numbers, their values."""
    lines = (
        "SELECT series, groupArray(at) AS ats, groupArray(v) AS vs "
        f"FROM ({by_series}) GROUP BY series LIMIT {limit}"
    )
    return (
        f"SELECT tags, ats, vs FROM ({lines}) AS c "
        f"INNER JOIN (SELECT series, tags FROM {database}.{table} FINAL "
        f"WHERE {condition(request.query)} LIMIT 1 BY series) AS s "
        f"ON c.series = s.series{BUDGET}"
    )


def rolled_days_sql(database: str) -> str:
    """Return a statement for the days, counted from 1970, that have rollups."""
    return (
        "SELECT DISTINCT intDiv(toUnixTimestamp64Milli(time) - 1, 86400000) "
        f"FROM {database}.metric_rollup"
    )


def newest_rollup_sql(database: str) -> str:
    """Return a statement for the newest time of rollups, 0 without any."""
    return f"SELECT toUnixTimestamp64Milli(max(time)) FROM {database}.metric_rollup"


def tags_sql(
    query: Query, database: str, tables: tuple[str, str], first_ms: int, last_ms: int, limit: int
) -> str:
    """Return a statement for the tags of series that have rows between two times, both included.

    Args:
        query: Which series.
        database: Where the tables are.
        tables: That of the tags, and that of the rows.
        first_ms: Of the first rows.
        last_ms: Of the last rows.
        limit: Most series.
    """
    series, rows = tables
    return (
        f"SELECT tags FROM {database}.{series} FINAL WHERE {condition(query)} AND series IN "
        f"(SELECT series FROM {database}.{rows} WHERE "
        f"time >= fromUnixTimestamp64Milli({first_ms}, 'UTC') "
        f"AND time <= fromUnixTimestamp64Milli({last_ms}, 'UTC')) "
        f"LIMIT 1 BY series LIMIT {limit}{BUDGET}"
    )


def by_series_sql(request: Fetch, database: str, step_ms: int) -> str:
    """Consolidate each matching series: rows (series, at, v)."""
    window = request.window
    before = window.start_ms - window.step_ms
    matching = (
        f"SELECT series, kind FROM {database}.metric_series FINAL "
        f"WHERE {condition(request.query)} LIMIT 1 BY series"
    )
    return (
        f"SELECT m.series AS series, at, {_consolidated(request, step_ms)} AS v FROM ("
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
