"""``tocsin reload``: has a running server read its configuration directory again."""

from __future__ import annotations

import click
import orjson

from tocsin.settings import load_settings
from tocsin.terminal.answers import client_of, say
from tocsin.terminal.options import setting_options

_SLOWEST_S = 120.0  # a new objective goes through weeks of history first


@click.command("reload")
@setting_options("api_url")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool, **overrides: object) -> None:
    """Put changed objectives, detectors, routes, runbooks, impact and scraping into force.

    SIGHUP does the same. With mistakes in a file nothing changes: each is told, and the exit code
    is 1.
    """
    settings = load_settings(overrides)
    with client_of(settings, _SLOWEST_S) as api:
        state = api.reload()
    if as_json:
        click.echo(orjson.dumps(state).decode())
        return
    for change in state["changes"] or ["nothing changed"]:
        say(change)
