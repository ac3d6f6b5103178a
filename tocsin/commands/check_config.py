"""``tocsin check-config``: everything an operator wrote, validated before it matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import orjson

from collectors.errors import ConfigError, DocumentError
from tocsin.commands.options import setting_options
from tocsin.settings import load_settings


def problems(directory: Path) -> Iterator[ConfigError]:
    """Yield what is wrong in a configuration directory, each file's first mistake."""
    from anomaly.rules.kinds import check_rules
    from collectors.receivers.prometheus.scrape.config import load_scrape_config
    from collectors.store.history.rollup_policies import load_rollup_policies
    from runbooks.alerts.routing import load_routes
    from runbooks.automation.loading import load_runbook

    if not directory.is_dir():
        yield ConfigError(f"{directory}: no such directory; set TOCSIN_CONFIG_DIR")
        return
    yield from check_rules(directory)
    single: list[tuple[str, Callable[[Path], object]]] = [
        ("scrape.yaml", load_scrape_config),
        ("rollups.yaml", load_rollup_policies),
        ("routes.yaml", load_routes),
        ("runbooks/*.yaml", load_runbook),
    ]
    for pattern, load in single:
        for file in sorted(directory.glob(pattern)):
            try:
                load(file)
            except ConfigError as error:
                yield from error.each()


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
