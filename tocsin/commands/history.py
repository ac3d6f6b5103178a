"""``tocsin history``: has the long-term store verify itself, and writes out its tables."""

from __future__ import annotations

from contextlib import nullcontext

import click
import orjson

from collectors.history.address import database_of
from collectors.history.schema import EVERYTHING
from collectors.history.tables import schema_sql
from tocsin.data_directory import owned
from tocsin.settings import load_settings
from tocsin.terminal.options import setting_options


@click.group("history")
def command() -> None:
    """Look after the long-term store."""


@command.command("check")
@setting_options("data_dir", "history", "step")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(ctx: click.Context, /, as_json: bool, **overrides: object) -> None:
    """Verify every part; exit 3 when one is damaged.

    The embedded store belongs to one process: stop `tocsin serve` first. Of a cluster the server
    that the address names verifies its own parts.
    """
    from tocsin.history import open_history  # chDB takes a moment to import

    settings = load_settings(overrides)
    with owned(settings.data_dir) if settings.history == "embedded" else nullcontext():
        history = open_history(settings)
        damaged = [] if history is None else history.check()
        if history is not None:
            history.close()
    if as_json:
        click.echo(orjson.dumps({"ok": not damaged, "damaged": damaged}).decode())
    else:
        click.echo("\n".join(damaged) or "every part is sound" if history else "history is off")
    ctx.exit(3 if damaged else 0)


@command.command("schema")
@setting_options("history")
@click.option("--cluster", default="", help="Name of the ClickHouse cluster that is to have them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def schema(cluster: str, as_json: bool, **overrides: object) -> None:
    """Write out the statements that make the tables: of one server, or of a cluster.

    Of one server they are what a start makes by itself. On a cluster each table has replicas on
    every shard, and one table over all of them; a start then uses those. The database is the one
    that the history's address names.
    """
    settings = load_settings(overrides)
    database = database_of(settings.history)
    statements = schema_sql(EVERYTHING, database, cluster)
    if as_json:
        told = {"database": database, "cluster": cluster, "statements": statements}
        click.echo(orjson.dumps(told).decode())
    else:
        click.echo("".join(f"{statement};\n\n" for statement in statements), nl=False)
