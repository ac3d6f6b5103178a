"""``tocsin queries``: what is asked of the server just now, and an end to one of them."""

from __future__ import annotations

from urllib.parse import unquote_plus

import click

from tocsin.client.metric_shapes import RunningQuery
from tocsin.terminal.answers import asking, asks, say_json, table, tell_list

_MEGABYTE = 1 << 20
_SHOWN_CHARS = 160


@click.command("queries")
@click.option("--cancel", type=int, metavar="ID", help="Stop this query.")
@asks()
def command(cancel: int | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the queries that are running or wait, the oldest first, or stop one."""
    if cancel is not None:
        with asking(api_url) as api:
            stopped = api.cancel_query(cancel)
        if as_json:
            say_json(stopped)
        else:
            click.echo(f"query {cancel} is being stopped: {_text(stopped)}")
        return
    with asking(api_url) as api:
        found = api.queries()
    head = ["id", "state", "for", "of", "memory", "client", "query"]
    tell_list(
        found,
        lambda: table(head, [_row(query) for query in found]),
        empty="no query is running",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(query: RunningQuery) -> list[str]:
    return [
        str(query["id"]),
        query["state"],
        f"{query['elapsed_s']:.1f} s",
        f"{query['timeout_s']:g} s",
        f"{query['memory_bytes'] / _MEGABYTE:.0f} MiB",
        query["client"] or "-",
        _text(query),
    ]


def _text(query: RunningQuery) -> str:
    """Return what is asked on one line, without what a terminal would obey."""
    text = f"{query['path']}?{unquote_plus(query['query'])}" if query["query"] else query["path"]
    plain = "".join(char if char.isprintable() else "�" for char in text)
    return plain if len(plain) <= _SHOWN_CHARS else plain[: _SHOWN_CHARS - 1] + "…"
