"""``tocsin settings``: the table, as it stands or as documentation."""

from __future__ import annotations

import click
import orjson
from pydantic import SecretStr

from tocsin.settings import Settings, load_settings, setting_rows


def shown_value(settings: Settings, name: str) -> str | None:
    """Return the value in force as text; secrets stay hidden."""
    value = getattr(settings, name)
    if value is None:
        return None
    return "(hidden)" if isinstance(value, SecretStr) else str(value)


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Print every setting with the value in force."""
    settings = load_settings()
    if as_json:
        values = {row.name: shown_value(settings, row.name) for row in setting_rows()}
        click.echo(orjson.dumps(values).decode())
        return
    width = max(len(row.variable) for row in setting_rows())
    for row in setting_rows():
        value = shown_value(settings, row.name)
        click.echo(f"{row.variable:<{width}}  {value or '-':<24}  {row.description}")
