"""Three processes that divide the series: one is killed, and nothing that was said is untrue."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tocsin.cluster.shards_in_processes import NAMES, Writer, nodes_in

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.paired]


def test_a_killed_node_loses_nothing_and_is_missed_by_nobody(tmp_path: Path, database: str) -> None:
    """What was acknowledged would be gone with a machine, or answers would differ by node."""
    with nodes_in(tmp_path, database_url=database) as nodes:
        writer = Writer(nodes, tmp_path / "single")
        for _ in range(20):
            writer.write()
        nodes.kill("c")
        for _ in range(20):
            writer.write()
        for name in ("a", "b"):
            writer.compare(name)
            assert nodes.health(name)["samples_with_one_copy"] == 0
        assert any(nodes.health(name)["owed_bytes"].get("c") for name in ("a", "b"))

        nodes.start("c")
        for _ in range(20):
            writer.write()
        nodes.settled()
        for name in NAMES:
            writer.compare(name)

        nodes.kill("a")
        nodes.kill("b")
        told = nodes.query("c", "count(heat)", writer.first_ms, writer.last_ms)
        assert "slots of the series are missing" in told["warnings"][0]
        writer.close()
