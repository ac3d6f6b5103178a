"""The statements that make history's tables, for one server and for a cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.errors import ConfigError
from collectors.history.address import DATABASE
from collectors.history.engine import HistoryEngine
from collectors.history.schema import EVERYTHING, SPANS, TRACE_TIMES_VIEW
from collectors.history.tables import ON_SHARD, Table, schema_sql
from collectors.logs.history.log_history import LogHistory
from collectors.store.history.metric_history import MetricHistory
from collectors.traces.history.span_history import SpanHistory

TABLES = [one for one in EVERYTHING if isinstance(one, Table)]


def test_what_is_written_out_is_what_the_engine_makes(tmp_path: Path) -> None:
    """An operator would make other tables than those that are tried."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    shown = f"SELECT create_table_query FROM system.tables WHERE database = '{DATABASE}'"
    try:
        MetricHistory(engine, step_ms=1_000), SpanHistory(engine), LogHistory(engine)
        made = sorted(engine.columns(shown)[0])
        engine.command(f"DROP DATABASE {DATABASE}")
        for statement in schema_sql(EVERYTHING, DATABASE):
            engine.command(statement)

        assert [_told(text) for text in sorted(engine.columns(shown)[0])] == list(map(_told, made))
        assert len(made) == len(EVERYTHING)
    finally:
        engine.close()


def _told(statement: str) -> str:
    """Return a statement without the order of its settings, which is that of their making."""
    head, _, settings = statement.partition(" SETTINGS ")
    return head + str(sorted(settings.split(", ")))


def test_the_engine_understands_what_a_cluster_is_told(tmp_path: Path) -> None:
    """A typing error would be found on the first cluster."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    try:
        for statement in schema_sql(EVERYTHING, "metrics_of", "{cluster}"):
            assert engine.columns(f"EXPLAIN AST {statement}"), statement
    finally:
        engine.close()


def test_a_cluster_has_replicas_of_each_shard_and_one_table_over_all() -> None:
    """Rows would be on one server alone, or a series on two."""
    made = schema_sql(EVERYTHING, "history", "main")
    assert all("ON CLUSTER 'main'" in statement for statement in made)
    for table in TABLES:
        path = f"'/clickhouse/tables/{{shard}}/history/{table.name}', '{{replica}}'"
        [local] = [text for text in made if f"{table.name}{ON_SHARD} ON CLUSTER" in text]
        assert f"Replicated{table.engine}({path})" in local
        whole = f"Distributed('main', 'history', '{table.name}{ON_SHARD}', {table.shard_by})"
        assert sum(text.endswith(whole) for text in made) == 1
    [view] = [text for text in made if "MATERIALIZED VIEW" in text]
    assert re.findall(r"history\.(\w+)", view) == [
        TRACE_TIMES_VIEW.name,
        TRACE_TIMES_VIEW.filled + ON_SHARD,
        SPANS.name + ON_SHARD,
    ]


@pytest.mark.parametrize("name", ["", "a'b", "a b", "x; DROP"])
def test_names_that_are_none_are_refused(name: str) -> None:
    """A statement would say something else than it was made for."""
    with pytest.raises(ConfigError):
        schema_sql(EVERYTHING, "history", name or "''")
    with pytest.raises(ConfigError):
        schema_sql(EVERYTHING, name)
