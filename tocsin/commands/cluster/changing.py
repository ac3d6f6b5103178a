"""``tocsin cluster drain``, ``activate`` and ``remove``."""

from __future__ import annotations

import click

from tocsin.client.own.cluster_shapes import ClusterState
from tocsin.commands.cluster.standing import lead_words
from tocsin.terminal.answers import asking, asks, say, say_json


@click.command("drain")
@click.argument("node")
@asks(fail_empty=False)
def drain(node: str, api_url: str | None, as_json: bool) -> None:
    """Have NODE give back what it holds, and take nothing more while another node is there.

    It goes on receiving and keeps its copies. When it starts again it is active again.
    """
    with asking(api_url) as api:
        state = api.drain_node(node)
    _tell(state, f"{node} gives its leases back", as_json=as_json)


@click.command("activate")
@click.argument("node")
@asks(fail_empty=False)
def activate(node: str, api_url: str | None, as_json: bool) -> None:
    """Have NODE take leases again: the other way of drain."""
    with asking(api_url) as api:
        state = api.drain_node(node, active=True)
    _tell(state, f"{node} takes leases again", as_json=as_json)


@click.command("remove")
@click.argument("node")
@asks(fail_empty=False)
def remove(node: str, api_url: str | None, as_json: bool) -> None:
    """Forget NODE, which will not come back, and what it is owed."""
    with asking(api_url) as api:
        state = api.remove_node(node)
    _tell(state, f"{node} is forgotten", as_json=as_json)


def _tell(state: ClusterState, done: str, *, as_json: bool) -> None:
    if as_json:
        say_json(state)
        return
    say(done)
    say(f"before that: {lead_words(state)}")
