"""Two nodes that can't reach PostgreSQL ask each other who speaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from starlette.applications import Starlette

from collectors.cluster.members import Node
from collectors.receivers.testing.fakes import serve
from tests.tocsin.cluster.test_agreement import run
from tocsin.cluster.agreement.agreement import Agreement
from tocsin.cluster.agreement.registry import Registry
from tocsin.cluster.opening import WORD_PATH, Cluster
from tocsin.cluster.place import Place
from tocsin.cluster.routes import cluster_routes
from tocsin.cluster.state import cluster_state
from tocsin.settings import Shape


class Answering:
    """Routes that are given later than their address."""

    app: Starlette | None = None

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)  # type: ignore[arg-type]  # passed on as they came


class Nodes:
    """Two, of which a leads; their time stands in one list."""

    def __init__(self, database: str, stack: ExitStack) -> None:
        self.now_s = [0.0]
        self.made: list[Cluster] = []
        self.addresses: list[str] = []
        self.down = [ExitStack(), ExitStack()]
        for at, name in enumerate("ab"):
            answering = Answering()
            url = self.down[at].enter_context(serve(answering))
            stack.callback(self.down[at].close)
            node = Node(name=name, url=url)
            agreement = Agreement(Registry(database, node, 10_000), now_s=lambda: self.now_s[0])
            stack.callback(agreement.close)
            place = Place(
                shape=Shape.PAIR,
                node=name,
                url=url,
                token="shh",
                database_url=database,
                lease_ms=10_000,
            )
            agreement.judged()
            self.made.append(Cluster(place, agreement))
            self.addresses.append(url)
            answering.app = Starlette(routes=cluster_routes(self.made[at]))
        self.beat()
        self.beat()

    def beat(self) -> None:
        """Have both tell and ask."""
        for one in self.made:
            one.agreement.beat()

    def speaking(self) -> list[bool]:
        """Who speaks."""
        return [one.speaks() for one in self.made]


@pytest.fixture
def nodes(database: str) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(database, stack)


def test_without_postgresql_the_last_leader_speaks(nodes: Nodes, database: str) -> None:
    """In an outage of the database nobody would be paged, or everybody twice."""
    assert nodes.speaking() == [True, False]
    run(database, "ALTER TABLE cluster_nodes RENAME TO away")
    nodes.beat()
    nodes.now_s[0] = 11.0  # nobody has the lease any more, both have looked for its length
    nodes.beat()
    assert nodes.speaking() == [True, False]
    assert "nodes can't agree" in cluster_state(nodes.made[0])["wrong"][0]
    nodes.down[0].close()  # the leader dies as well
    nodes.beat()
    assert nodes.made[1].speaks()
    run(database, "ALTER TABLE away RENAME TO cluster_nodes")
    nodes.made[1].agreement.beat()
    assert not nodes.made[1].speaks()  # it agrees again, and the lease runs


def test_a_word_is_for_nodes_alone(nodes: Nodes) -> None:
    """Whoever reaches the port would learn who leads."""
    answer = httpx2.get(nodes.addresses[0] + WORD_PATH, trust_env=False)
    assert answer.status_code == 401
    headers = {"Authorization": "Bearer shh"}
    told = httpx2.get(nodes.addresses[0] + WORD_PATH, headers=headers, trust_env=False).json()
    assert told == {"node": "a", "leads": True, "agrees": True, "last_holder": "a"}
