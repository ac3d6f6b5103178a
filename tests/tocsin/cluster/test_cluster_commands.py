"""``tocsin cluster``: what it says, asked of real routes."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

from collectors.cluster.members import Node
from collectors.receivers.testing.fakes import serve
from tests.tocsin.client.test_shapes import differences
from tocsin.client.own.cluster_shapes import ClusterState
from tocsin.cluster.agreement.agreement import Agreement
from tocsin.cluster.agreement.registry import Registry
from tocsin.cluster.opening import Cluster
from tocsin.cluster.place import Place
from tocsin.cluster.routes import cluster_routes
from tocsin.commands.cluster import command
from tocsin.settings import Shape


@pytest.fixture
def nodes(database: str) -> Iterator[list[Cluster]]:
    """Two nodes of which the first leads."""
    place = Place(
        shape=Shape.PAIR, node="a", url="", token="shh", database_url=database, lease_ms=60_000
    )
    made = []
    for name in "ab":
        node = Node(name=name, url=f"http://{name}:7101", version="1")
        agreement = Agreement(Registry(database, node, place.lease_ms))
        agreement.judged()
        agreement.beat()
        made.append(Cluster(place, agreement))
    made[0].agreement.beat()
    yield made
    for one in made:
        one.agreement.close()


@pytest.fixture
def address(nodes: list[Cluster]) -> Iterator[str]:
    with serve(Starlette(routes=cluster_routes(nodes[0]))) as url:
        yield url


def told(address: str, *words: str, code: int = 0) -> str:
    """Return what the command prints."""
    result = CliRunner().invoke(command, [*words, "--api-url", address])
    assert result.exit_code == code, result.output
    return result.output


def test_status_names_nodes_and_leader(address: str) -> None:
    """Who is called at night could not tell which node to look at."""
    text = told(address, "status")
    assert "a (asked)" in text
    assert "http://b:7101" in text
    assert "a leads since" in text
    assert "under token 1" in text
    state = orjson.loads(told(address, "status", "--json"))
    assert list(differences(ClusterState, state)) == []


def test_a_drained_node_hands_over(address: str, nodes: list[Cluster]) -> None:
    """Before an upgrade the lead would go only when the process is gone."""
    assert "a gives its leases back" in told(address, "drain", "a")
    for one in (nodes[0], nodes[0], nodes[1], nodes[0]):
        one.agreement.beat()
    assert "b leads since" in told(address, "status")
    assert "draining" in told(address, "status")
    told(address, "activate", "a")
    nodes[0].agreement.beat()
    assert "draining" not in told(address, "status")
    nobody = CliRunner().invoke(command, ["drain", "z", "--api-url", address])
    assert "there is no node 'z'" in str(nobody.exception)


def test_a_removed_node_is_forgotten(address: str, nodes: list[Cluster]) -> None:
    """A machine that was given back would be waited for."""
    told(address, "remove", "b")
    nodes[0].agreement.beat()
    assert "http://b:7101" not in told(address, "status")
    refused = CliRunner().invoke(command, ["remove", "a", "--api-url", address])
    assert "a is this node" in str(refused.exception)


def test_one_process_says_so() -> None:
    """Who has no cluster would look for what is missing."""
    with serve(Starlette(routes=cluster_routes(None))) as url:
        assert "one process" in told(url, "status")
