"""Two real servers, one PostgreSQL, and kill -9 in the midst of an outage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tocsin.cluster.running import DEPTH, STEP_S, Node, eventually, running_pair
from tests.tocsin.cluster.ways import lacks, send_by_every_way
from tocsin.client.client import ApiClient

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.paired]


def graphed(node: Node, end_ms: int) -> list[list[float]]:
    """Return a graph of what was written, up to a time."""
    expression = f"name,{DEPTH},:eq,:max,(,app,),:by"
    told = node.get(f"/api/v1/graph?q={expression}&s=e-1m&e={end_ms}&format=std.json")
    values: list[list[float]] = [[str(v) for v in row] for row in told["values"]]  # type: ignore[misc]  # NaN equals NaN as text
    return values


def test_the_leader_is_killed_amid_an_outage(database: str, tmp_path: Path) -> None:
    """People would be rung twice or never, or what was acknowledged would be with nobody."""
    with running_pair(database, tmp_path, dict(os.environ)) as pair:
        leader = pair.leader()
        assert leader is not None
        survivor, writer = pair.other(leader), pair.writer
        eventually(lambda: len(writer.acknowledged) > 40)
        eventually(lambda: survivor.cluster()["copies"]["kept"] == 2)
        send_by_every_way(leader)
        eventually(lambda: not [*lacks(survivor)])
        writer.depth = 500.0
        eventually(lambda: survivor.get("/api/v2/incidents")["incidents"])
        room = ApiClient(f"{leader.api},{survivor.api}")
        [before] = room.incidents()
        leader.kill()
        took_s = eventually(lambda: survivor.cluster()["lead"]["mine"])
        assert took_s <= 3 * STEP_S
        # Whoever works on it goes on where the other node has it.
        assert room.screen(before["id"])["version"]
        taken = room.command(before["id"], "acknowledge", actor="ana")
        assert taken["acknowledged_by"] == "ana"
        room.close()
        eventually(pair.pages)
        known = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > known + 60)
        assert len(pair.pages()) == 1, pair.pages()
        assert writer.acknowledged <= survivor.written() | {max(writer.acknowledged)}
        state = survivor.get("/health")
        assert state["status"] == "degraded"
        assert state["cluster"]["copies"]["kept"] == 1
        assert state["cluster"]["copies"]["owed"] > 0

        leader.begin()
        leader.wait()
        eventually(lambda: survivor.cluster()["copies"]["kept"] == 2)
        writer.ending.set()
        assert eventually(lambda: writer.acknowledged <= leader.written()) < 30
        assert survivor.cluster()["copies"]["evicted"] == 0
        assert len(pair.pages()) == 1, pair.pages()
        end_ms = 1_000 * int(leader.get("/api/v2/cluster")["nodes"][0]["joined_ms"] // 1_000)
        assert graphed(leader, end_ms) == graphed(survivor, end_ms)
