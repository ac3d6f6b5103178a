"""``tocsin check-config``: everything an operator wrote, validated before it matters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from collectors.documents.section import Context
from collectors.errors import ConfigError, DocumentError
from tocsin.commands.options import setting_options
from tocsin.settings import load_settings


def problems(directory: Path) -> Sequence[ConfigError]:
    """Return what keeps the server from starting, and expressions that can't be evaluated."""
    from collectors.stacklang.evaluation.batch import parse
    from tocsin.configuration import read_configuration

    if not directory.is_dir():
        return [ConfigError(f"{directory}: no such directory; set TOCSIN_CONFIG_DIR")]
    try:
        read_configuration(directory, Context(check_expression=parse))
    except ConfigError as error:
        return error.each()
    return ()


def as_row(error: ConfigError) -> dict[str, object]:
    """Return an error for ``--json``: the place apart where it is known."""
    if isinstance(error, DocumentError):
        place = {"file": error.file, "line": error.line, "field": error.field}
        return {**place, "message": error.reason}
    return {"file": None, "line": 0, "field": None, "message": error.message}


@click.command("check-config")
@setting_options("config_dir")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **overrides: object) -> None:
    """Validate the settings and the configuration directory; exit 3 when something is wrong."""
    settings = load_settings(overrides)
    found = [] if settings.config_dir is None else list(problems(settings.config_dir))
    if as_json:
        body = {"ok": not found, "problems": [as_row(error) for error in found]}
        click.echo(orjson.dumps(body).decode())
    elif found:
        for error in found:
            click.echo(error.message)
    else:
        where = settings.config_dir or "no configuration directory"
        click.echo(f"{where}: everything is in order")
    ctx.exit(3 if found else 0)
