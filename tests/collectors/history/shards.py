"""A cluster of one shard in this process: the cluster's statements on the embedded engine.

The engine has `Distributed` tables. What it does not have is taken out of the statements: other
servers, and therefore `ON CLUSTER` and the replicas of a table.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import clickhouse_connect

from collectors.history.address import DATABASE
from collectors.history.engine import HistoryEngine
from collectors.history.schema import EVERYTHING, REMEMBERED
from collectors.history.tables import schema_sql

OURS = "ours"
_REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'\)")
_REMEMBERS = f"non_replicated_deduplication_window = {REMEMBERED}"
_SHARD = "<shard><replica><host>127.0.0.1</host><port>9900</port></replica></shard>"


def beside_others(directory: Path) -> HistoryEngine:
    """Return an engine that others may write to as well, in a cluster; it has no tables yet."""
    config = directory / "cluster.xml"
    config.write_text(
        f"<clickhouse><tcp_port>9900</tcp_port><remote_servers><{OURS}>{_SHARD}"
        f"</{OURS}></remote_servers></clickhouse>",
        encoding="utf-8",
    )
    make = partial(
        clickhouse_connect.get_client,
        interface="chdb",
        path=str(directory / "history"),
        chdb_options={"config-file": str(config)},
    )
    return HistoryEngine(make, DATABASE)


def statements() -> list[str]:
    """Return the cluster's statements as one process without replicas can run them."""
    made = []
    for statement in schema_sql(EVERYTHING, DATABASE, OURS):
        text = _REPLICATED.sub(r"\1", statement.replace(f" ON CLUSTER '{OURS}'", ""))
        made.append(text.replace("replicated_deduplication_window_seconds = 604800", _REMEMBERS))
    return made
