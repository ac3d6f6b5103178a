"""Nodes agree in a real PostgreSQL, and each knows what it knows when that is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest
from sqlalchemy import create_engine, text

from collectors.cluster.members import Membership, Node, NodeState
from tests.runbooks.databases import PostgresServer
from tocsin.cluster.agreement.agreement import Agreement
from tocsin.cluster.agreement.lease import LEAD
from tocsin.cluster.agreement.registry import Registry


class Join(Protocol):
    """Makes a node."""

    def __call__(self, name: str, now_s: list[float] | None = None) -> Agreement: ...


def run(database: str, statement: str) -> None:
    """Run a statement as somebody else."""
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def outlive(database: str) -> None:
    """Let all leases and all signs of life grow old."""
    run(database, "UPDATE cluster_leases SET until_ms = until_ms - 60000")
    run(database, "UPDATE cluster_nodes SET heard_ms = heard_ms - 60000")


@pytest.fixture
def join(database: str) -> Iterator[Join]:
    with ExitStack() as stack:

        def make(name: str, now_s: list[float] | None = None) -> Agreement:
            node = Node(name=name, url=f"http://{name}", version="1")
            clock = now_s or [0.0]
            made = Agreement(Registry(database, node, 60_000), now_s=lambda: clock[0])
            stack.callback(made.close)
            made.judged()
            return made

        yield make


def leads(node: Agreement) -> bool:
    return node.terms[LEAD].holds()


def test_one_leads_and_both_know_both(join: Join, database: str) -> None:
    """A node that does not know of the other would page beside it."""
    a, b = join("a"), join("b")
    for node in (a, b, a):
        node.beat()
    known: Membership = a
    assert [(one.name, one.alive) for one in known.nodes()] == [("a", True), ("b", True)]
    assert (leads(a), leads(b)) == (True, False)
    assert (b.lease().holder, b.lease().token) == ("a", 1)


def test_who_has_judged_nothing_yet_does_not_lead(database: str) -> None:
    """A node that has just begun would lead without knowing what is wrong."""
    node = Agreement(Registry(database, Node(name="a", url="http://a"), 60_000))
    node.beat()
    assert not leads(node)
    node.judged()
    node.beat()
    assert leads(node)
    node.close()


def test_who_is_silent_is_followed_under_a_higher_token(join: Join, database: str) -> None:
    """The death of the leader would leave nobody to page."""
    a, b = join("a"), join("b")
    a.beat()
    b.beat()
    outlive(database)
    b.beat()
    assert leads(b)
    assert b.lease().token == 2
    assert [one.alive for one in b.nodes()] == [False, True]
    a.beat()
    assert not leads(a)


def test_a_stale_leader_is_fenced(join: Join, database: str) -> None:
    """A process that was stopped and goes on would deliver what its follower has delivered."""
    a, b = join("a"), join("b")
    a.beat()
    outlive(database)
    b.beat()
    engine = create_engine(database)
    with engine.begin() as connection:
        assert leads(a)  # as far as it knows by its own clock
        assert not a.fence()(connection)
        assert b.fence()(connection)
    engine.dispose()


def test_without_the_database_the_view_stays_and_the_lease_ends(
    join: Join, postgresql: PostgresServer, database: str
) -> None:
    """Not to reach the database says nothing about the others, and gives no right to lead."""
    now_s = [0.0]
    a, b = join("a", now_s), join("b")
    a.beat()
    b.beat()
    a.beat()
    run(database, "ALTER TABLE cluster_nodes RENAME TO away")
    a.beat()
    assert a.failing
    assert [one.alive for one in a.nodes()] == [True, True]
    assert leads(a)
    now_s[0] = 59.0
    assert not leads(a)
    run(database, "ALTER TABLE away RENAME TO cluster_nodes")
    a.beat()
    assert not a.failing
    assert leads(a)


def test_a_drained_node_gives_back_and_leads_only_if_nobody_else_can(
    join: Join, database: str
) -> None:
    """A node that is about to be stopped must not be the one that people count on."""
    a, b = join("a"), join("b")
    a.beat()
    b.beat()
    a.beat()
    assert b.drain("a")
    assert not b.drain("nobody")
    a.beat()  # hears of it
    a.beat()  # does it
    assert not leads(a)
    assert a.nodes()[0].state is NodeState.DRAINING
    b.beat()
    assert leads(b)
    outlive(database)
    a.beat()
    a.beat()
    assert leads(a)


def test_closing_gives_back_at_once(join: Join, database: str) -> None:
    """After a planned stop nobody would lead until the lease has run out."""
    a, b = join("a"), join("b")
    a.beat()
    b.beat()
    a.close()
    b.beat()
    assert leads(b)


def test_who_was_removed_is_gone_unless_it_speaks(join: Join, database: str) -> None:
    """A machine that was given back would be counted as a dead copy for ever."""
    a, b = join("a"), join("b")
    b.beat()
    assert a.remove("b")
    a.beat()
    assert [one.name for one in a.nodes()] == ["a"]
    b.beat()
    a.beat()
    assert [one.name for one in a.nodes()] == ["a", "b"]


def test_two_under_one_name_are_found_out(join: Join, database: str) -> None:
    """Neither would know of the other, and nothing would be copied."""
    first, second = join("a"), join("a")
    second.beat()
    assert not second.view.rival  # the first may have been killed
    first.beat()
    second.beat()
    assert second.view.rival
    assert first.view.rival
    assert (leads(first), leads(second)) in ((True, False), (False, True))
