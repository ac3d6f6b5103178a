"""Rollups: old days in coarse steps, with tags dropped, so that a year takes little space.

A rollup row is the answer for one rolled-up series and one coarse step: the sum and the count over
its series of each series' average (a gap counts as zero for rates and as nothing for gauges, as in
any consolidation), the least and the largest value. Summing, averaging over time, counting, least
and largest are therefore the same from rollups as from samples whose series had no gaps.
"""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from collectors.history.engine import HistoryEngine, quoted
from collectors.history.predicates import condition
from collectors.model import SeriesKind, Tags
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import Query
from collectors.store.history.rolled_days import DAY_MS
from collectors.store.series.tag_rows import identity_of

_GAUGE = quoted(SeriesKind.GAUGE.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupPolicy:
    """Which tags disappear when old series are rolled up.

    Attributes:
        query: The series that it speaks of; the first policy that matches a series counts.
        drop_keys: Tag keys left out, such as ``node``.
    """

    query: Query
    drop_keys: tuple[str, ...]


def roll_up_day(
    engine: HistoryEngine,
    day_ms: int,
    *,
    step_ms: int,
    rollup_step_ms: int,
    policies: Sequence[RollupPolicy],
) -> None:
    """Write the rollups of the day that starts at ``day_ms``; doing it again changes nothing."""
    database = engine.database
    _write_series(engine, day_ms, policies)
    series = (
        f"SELECT series, kind, rolled FROM {database}.metric_rollup_map FINAL LIMIT 1 BY series"
    )
    slots = rollup_step_ms // step_ms
    share = f"if(kind = {_GAUGE}, present, {slots})"
    engine.command(
        f"INSERT INTO {database}.metric_rollup (series, time, sum, count, min, max) "
        "SETTINGS insert_deduplicate = 0 "
        f"SELECT rolled, fromUnixTimestamp64Milli(slot * {rollup_step_ms}, 'UTC'), "
        f"sum(total / {share}), sum(present / {share}), min(low), max(high) FROM ("
        "SELECT series, intDiv(toUnixTimestamp64Milli(time) - 1, "
        f"{rollup_step_ms}) + 1 AS slot, sum(value) AS total, count() AS present, "
        "min(value) AS low, max(value) AS high "
        f"FROM {database}.metric_samples FINAL WHERE {_day(day_ms)} GROUP BY series, slot) AS v "
        f"INNER JOIN ({series}) AS s ON v.series = s.series GROUP BY rolled, slot"
    )


def rolled_series_sql(request: Fetch, database: str, rollup_step_ms: int, step_ms: int) -> str:
    """Consolidate rollups: rows (series, at, v), as ``by_series_sql`` does for samples."""
    window = request.window
    before = window.start_ms - window.step_ms
    matching = (
        f"SELECT series, kind FROM {database}.metric_rollup_series FINAL "
        f"WHERE {condition(request.query)} LIMIT 1 BY series"
    )
    value = _consolidated(request, rollup_step_ms, step_ms)
    return (
        f"SELECT series, at, {value} AS v FROM (SELECT r.series AS series, kind, "
        f"intDiv(toUnixTimestamp64Milli(time) - {before + 1}, {window.step_ms}) AS at, "
        f"sum, count, min, max FROM {database}.metric_rollup AS r FINAL "
        f"INNER JOIN ({matching}) AS k ON r.series = k.series WHERE {_between(before, window)}) "
        "GROUP BY series, kind, at"
    )


def _consolidated(request: Fetch, rollup_step_ms: int, step_ms: int) -> str:
    column = {Aggregate.COUNT: "count", Aggregate.MIN: "min", Aggregate.MAX: "max"}.get(
        request.aggregate, "sum"
    )
    slots = request.window.step_ms // rollup_step_ms
    return {
        Consolidation.AVG: f"sum({column}) / if(kind = {_GAUGE}, count(), {slots})",
        Consolidation.SUM: f"sum({column}) * {rollup_step_ms // step_ms}",
        Consolidation.MIN: f"min({column if column in {'count', 'sum'} else 'min'})",
        Consolidation.MAX: f"max({column if column in {'count', 'sum'} else 'max'})",
    }[request.consolidation]


def _write_series(engine: HistoryEngine, day_ms: int, policies: Sequence[RollupPolicy]) -> None:
    """Say which rolled-up series each series of a day belongs to, and what tags those have."""
    database = engine.database
    found = engine.columns(
        f"SELECT series, kind, tags FROM {database}.metric_series FINAL WHERE series IN "
        f"(SELECT series FROM {database}.metric_samples WHERE {_day(day_ms)})"
    )
    members, rolled = [], {}
    for series, kind, tags in zip(*found, strict=True) if found else ():
        kept = _kept(tags, policies)
        number = int.from_bytes(identity_of(kept)[:8], "little")
        members.append(orjson.dumps({"series": series, "kind": kind, "rolled": number}))
        rolled[number] = orjson.dumps({"series": number, "kind": kind, "tags": kept})
    if members:
        engine.insert("metric_rollup_map", b"\n".join(members), fmt="JSONEachRow")
        engine.insert("metric_rollup_series", b"\n".join(rolled.values()), fmt="JSONEachRow")


def _kept(tags: Tags, policies: Sequence[RollupPolicy]) -> dict[str, str]:
    """Return the tags that the first policy that matches leaves."""
    for policy in policies:
        if policy.query.matches(tags):
            return {key: value for key, value in tags.items() if key not in policy.drop_keys}
    return dict(tags)


def _day(day_ms: int) -> str:
    return (
        f"time > fromUnixTimestamp64Milli({day_ms}, 'UTC') "
        f"AND time <= fromUnixTimestamp64Milli({day_ms + DAY_MS}, 'UTC')"
    )


def _between(before_ms: int, window: Window) -> str:
    after = f"fromUnixTimestamp64Milli({before_ms}, 'UTC')"
    until = f"fromUnixTimestamp64Milli({window.end_ms}, 'UTC')"
    return f"time > {after} AND time <= {until}"
