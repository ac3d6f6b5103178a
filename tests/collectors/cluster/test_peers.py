"""A node over HTTP: what it says arrives as it was said, errors and silence too."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette

from collectors.api.work.running import QueryBounds
from collectors.clock import ManualClock
from collectors.cluster.asking.questions import Question, lines_of, lines_question
from collectors.cluster.members import FixedMembership, Node
from collectors.cluster.network.peers import KEEP, HttpNode, Line, Lines
from collectors.cluster.sharing.shares import Share, ShareKind
from collectors.errors import DecodeError, OverloadedError, QueryError, StorageError
from collectors.host.machine import Machine
from collectors.limits import Limits
from collectors.model import Batch
from collectors.receivers.direct import Direct
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request
from tocsin.cluster.shards.doors import shard_routes
from tocsin.cluster.shards.opening import OWED, Joining, Shards

NOW_MS, STEP_MS, TOKEN = 1_700_000_000_000, 10_000, "between us"
LIMITS = Limits(max_body_bytes=1 << 20)


class Served:
    """A node behind a real socket."""

    def __init__(self, path: Path) -> None:
        self.store = MetricStore.open(
            path / "store", step_ms=STEP_MS, hot_window_ms=3_600_000, clock=ManualClock(NOW_MS)
        )
        members = FixedMembership(me="b", known=(Node(name="b", url=""),))
        joining = Joining(membership=members, token=TOKEN, leads=lambda: True)
        clock = ManualClock(NOW_MS)
        self.shards = Shards(joining, self.store, LIMITS, clock, Machine(), path / "owed")
        self.shards.look()
        routes = shard_routes(self.shards, self.store, LIMITS, QueryBounds())
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        app = Direct(Starlette(routes=routes), routes)
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self.thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        """End it."""
        self.server.should_exit = True
        self.thread.join(10)
        self.socket.close()
        self.shards.close()
        self.store.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """One node."""
    with closing(Served(tmp_path)) as served:
        yield served


@pytest.fixture
def node(served: Served) -> Iterator[HttpNode]:
    """What asks it."""
    line = Line(served.url, TOKEN)
    yield HttpNode(line)
    line.close()


def fetch(start_ms: int = NOW_MS - STEP_MS) -> Fetch:
    """The sum of everything."""
    return Fetch(
        query=AnyOf(),
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window(start_ms=start_ms, end_ms=NOW_MS, step_ms=STEP_MS),
    )


def test_a_share_is_kept_and_asked_for_again(node: HttpNode) -> None:
    """Nothing that is handed over would be found again."""
    rows = [({"__name__": "m", "n": str(n)}, [(NOW_MS, 2.0)]) for n in range(10)]
    remote = node.keep(Share(kind=ShareKind.REMOTE, body=write_request(rows), samples=10))
    batch = Batch(
        series=[{"name": "m", "n": "x", "atlas.dstype": "gauge"}],
        series_index=np.zeros(1, dtype=np.int32),
        time_ms=np.array([NOW_MS]),
        value=np.array([5.0]),
    )
    one = node.keep(Share(kind=ShareKind.BATCH, batch=batch, samples=1))
    lines = lines_of(node.ask(lines_question(fetch()), None, 10))

    assert (remote.accepted, one.accepted) == (10, 1)
    np.testing.assert_array_equal(lines.values, [[np.nan, 25.0]])


def test_a_refusal_is_told_with_its_reason(node: HttpNode) -> None:
    """A query that asks for too much would be asked of the stand-by as well, and of the next."""
    with pytest.raises(QueryError, match="must be a multiple of 10000 ms") as told:
        node.ask(lines_question(fetch(NOW_MS - 1)), None, 10)
    assert told.value.kind == "IllegalArgumentException"
    with pytest.raises(DecodeError, match="does not know"):
        node.ask(Question(kind="fortune"), None, 10)
    with pytest.raises(DecodeError, match="snappy"):
        node.keep(Share(kind=ShareKind.REMOTE, body=b"no body", samples=1))


def test_strangers_are_sent_away(served: Served) -> None:
    """Whoever reaches the port could read and write everything."""
    line = Line(served.url, "guessed")
    with pytest.raises(StorageError, match="cluster_token differs"):
        HttpNode(line).ask(lines_question(fetch()), None, 10)
    with pytest.raises(StorageError, match="cluster_token differs"):
        HttpNode(line).keep(Share(kind=ShareKind.REMOTE, body=b"", samples=0))
    line.close()


def test_a_node_that_lacks_what_it_missed_answers_nobody(served: Served, node: HttpNode) -> None:
    """A node that was away would answer with a gap that the stand-by does not have."""
    served.shards._behind = True

    with pytest.raises(OverloadedError, match="lacks what it missed"):
        node.ask(lines_question(fetch()), None, 10)
    assert node.ask(Question(kind=OWED, arguments={"node": "a"}), None, 10).head == 0


def test_silence_is_an_error_in_time(tmp_path: Path) -> None:
    """A query would wait for a machine that is off, as long as TCP does."""
    members = FixedMembership(me="a", known=(Node(name="gone", url="http://127.0.0.1:9"),))
    lines = Lines(members, TOKEN)
    with pytest.raises(StorageError, match="refused"):
        lines.node("gone").ask(Question(kind="counters"), None, 1)
    with pytest.raises(StorageError, match="there is no node 'who'"):
        lines.node("who")
    lines.close()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        line = Line(f"http://127.0.0.1:{deaf.getsockname()[1]}", TOKEN)
        with pytest.raises(StorageError, match="timed out"):
            HttpNode(line).ask(Question(kind="counters"), None, 0.05)
        line.close()
    assert tmp_path.is_dir()


def test_a_share_has_a_bound(served: Served, node: HttpNode) -> None:
    """One node that is broken would take the memory of another."""
    line = Line(served.url, TOKEN)
    status, content = line.post(KEEP, bytes((1 << 20) + 10_000), 10)
    line.close()

    assert status == 413
    assert b"TooLargeError" in content
    assert node.ask(Question(kind="counters"), None, 10).head == []
