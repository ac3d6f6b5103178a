"""``tocsin cluster status``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tocsin.client.own.cluster_shapes import ClusterCopies, ClusterNode, ClusterState
from tocsin.client.wording import moment, number, size
from tocsin.terminal.answers import asking, asks, say, say_json, table

WRONG = 3
"""Exit code where something is not as it should be."""


@click.command("status")
@asks(fail_empty=False)
@click.pass_context
def status(ctx: click.Context, /, api_url: str | None, as_json: bool) -> None:
    """Show nodes, who leads, and what the other still has to get; exit 3 if something is wrong.

    It is told as the node at --api-url knows it.
    """
    with asking(api_url) as api:
        state = api.cluster()
    if as_json:
        say_json(state)
    else:
        for line in lines(state):
            say(line)
    ctx.exit(WRONG if state["wrong"] else 0)


def lines(state: ClusterState) -> Iterator[str]:
    """Yield what people read."""
    if state["shape"] == "one":
        yield "one process: it leads, and nobody else keeps a copy"
        return
    rows = [_row(node) for node in state["nodes"]]
    yield from table(["node", "", "state", "heard of", "version", "address"], rows)
    yield lead_words(state)
    if state["copies"] is not None:
        yield copies_words(state["copies"])
    yield from (f"wrong: {one}" for one in state["wrong"])


def _row(node: ClusterNode) -> list[str]:
    heard = "now" if node["alive"] else f"{number(node['heard_ago_s'])} s ago"
    role = "leads" if node["leads"] else ""
    name = f"{node['name']} (asked)" if node["me"] else node["name"]
    return [name, role, node["state"], heard, node["version"], node["url"]]


def lead_words(state: ClusterState) -> str:
    """Return who leads, since when, and under which token."""
    lead = state["lead"]
    if lead["since_ms"] is None:
        alone = "; its findings reach people all the same" if lead["speaks"] else ""
        return f"nobody leads, as {state['node']} knows it{alone}"
    since = moment(lead["since_ms"])
    return f"{lead['holder']} leads since {since}, under token {lead['token']}"


def copies_words(copies: ClusterCopies) -> str:
    """Return who keeps what comes in now."""
    told = f"copies: {copies['kept']} of {copies['of']}"
    if copies["owed"]:
        told += f"; owed to the other: {number(copies['owed'])} requests"
        told += f", {size(copies['owed_bytes'])}"
    return told
