"""A start on tables that an operator made, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collectors.errors import ConfigError
from collectors.history.address import DATABASE
from collectors.history.engine import HistoryEngine
from collectors.history.schema import METRICS, TRACES
from collectors.history.tables import schema_sql
from tests.collectors.history.shards import OURS, beside_others, statements


@pytest.fixture(name="engine", scope="module")
def _engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistoryEngine]:
    engine = beside_others(tmp_path_factory.mktemp("history"))
    yield engine
    engine.close()


@pytest.fixture(name="made")
def _made(engine: HistoryEngine) -> HistoryEngine:
    """The cluster's tables, anew."""
    engine.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    for statement in statements():
        engine.command(statement)
    return engine


def test_tables_of_a_cluster_are_used_as_they_are(made: HistoryEngine) -> None:
    """Samples would go into a table of one server, beside those of the cluster."""
    made.keep((*METRICS, *TRACES))

    place = made.place("metric_samples")
    assert (place.table, place.cluster) == ("metric_samples_local", OURS)
    assert place.on == f" ON CLUSTER '{OURS}'"
    assert made.partitions("metric_samples") == []
    made.command(
        f"INSERT INTO {DATABASE}.metric_samples VALUES (1, '2026-01-02 00:00:00', 1), "
        "(2, '2026-01-02 00:00:01', 1)"
    )
    assert made.partitions("metric_samples") == ["20260101", "20260102"]


@pytest.mark.parametrize("lacking", ["metric_rollup", "otel_traces", "otel_traces_trace_id_ts_mv"])
def test_a_table_that_a_cluster_lacks_is_named(made: HistoryEngine, lacking: str) -> None:
    """It would be made without replicas, on the server that happened to answer."""
    made.command(f"DROP TABLE {DATABASE}.{lacking}")

    with pytest.raises(ConfigError, match=rf"{DATABASE}\.{lacking} is missing.*--cluster {OURS}"):
        made.keep((*METRICS, *TRACES))


@pytest.mark.parametrize("table", ["metric_samples", "metric_samples_local"])
def test_a_column_that_a_table_lacks_is_named(made: HistoryEngine, table: str) -> None:
    """Everything would be refused by the engine, block by block."""
    made.command(f"ALTER TABLE {DATABASE}.{table} DROP COLUMN value")

    with pytest.raises(ConfigError, match=rf"{DATABASE}\.{table} has no column 'value'.*Float64"):
        made.keep(METRICS)


def test_a_column_of_another_type_is_named(made: HistoryEngine) -> None:
    """Times would be cut to seconds, and nobody would be told."""
    made.command(f"DROP TABLE {DATABASE}.metric_rollup_map")
    made.command(
        f"CREATE TABLE {DATABASE}.metric_rollup_map (series String, kind String, rolled UInt64) "
        "ENGINE = Memory"
    )

    with pytest.raises(ConfigError, match=r"'series' .*metric_rollup_map is String, not UInt64"):
        made.keep(METRICS)


def test_one_server_gets_what_it_lacks(engine: HistoryEngine) -> None:
    """The first start on a server would ask for tables."""
    engine.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    engine.command(f"CREATE DATABASE {DATABASE}")
    engine.command(schema_sql(METRICS, DATABASE)[1])

    engine.keep((*METRICS, *TRACES))

    (names,) = engine.columns(f"SHOW TABLES FROM {DATABASE}")
    assert set(names) == {one.name for one in (*METRICS, *TRACES)}
    assert engine.place("metric_samples").cluster == ""
