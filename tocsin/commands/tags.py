"""``tocsin tags``: which tags series carry, and with which values."""

from __future__ import annotations

import click

from tocsin.terminal.answers import asking, asks, tell_list


@click.command("tags")
@click.argument("key", required=False)
@click.option("--query", help="Of series that match, such as `name,http.server.requests,:eq`.")
@asks()
def command(
    key: str | None, query: str | None, api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """Print the keys of all tags, or the values of KEY."""
    with asking(api_url) as api:
        found = api.tags(key, query=query)
    what = "tags" if key is None else f"values of {key!r}"
    tell_list(
        found,
        lambda: found,
        empty=f"no {what}" + (f" on series that match {query}" if query else ""),
        as_json=as_json,
        fail_empty=fail_empty,
    )
