"""``tocsin metrics``: which metrics there are."""

from __future__ import annotations

import click

from tocsin.terminal.answers import asking, asks, tell_list


@click.command("metrics")
@click.argument("prefix", default="")
@asks()
def command(prefix: str, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """Print the names of the metrics that are held, those that begin with PREFIX."""
    with asking(api_url) as api:
        names = [name for name in api.tags("name") if name.startswith(prefix)]
        where = api.base_url
    begins = f" begins with {prefix!r}" if prefix else ""
    tell_list(
        names,
        lambda: names,
        empty=f"no metric{begins} at {where}" if prefix else f"{where} holds no metrics",
        as_json=as_json,
        fail_empty=fail_empty,
    )
