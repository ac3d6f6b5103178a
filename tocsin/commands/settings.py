"""``tocsin settings``: the table, as it stands or as documentation."""

from __future__ import annotations

import click
import orjson

from tocsin.settings import Source, load_settings, setting_rows, shown_value, source_of
from tocsin.terminal.answers import table


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--sources", is_flag=True, help="With --json: an object for each, with its source.")
def command(as_json: bool, sources: bool) -> None:
    """Print every setting with the value in force and where that comes from.

    A command line goes before TOCSIN_* in the environment, that before tocsin.toml (or the file
    that TOCSIN_CONFIG_FILE names), and that before the default.
    """
    settings = load_settings()
    if as_json:
        values: dict[str, object] = {}
        for row in setting_rows():
            value = shown_value(settings, row.name)
            source, place = source_of(row.name)
            full = {"value": value, "source": source.value, "from": place or None}
            values[row.name] = full if sources else value
        click.echo(orjson.dumps(values).decode())
        return
    rows = []
    for row in setting_rows():
        source, place = source_of(row.name)
        where = place if source is Source.FILE else source.value
        value = shown_value(settings, row.name)
        rows.append([row.variable, "-" if value is None else value, where, row.description])
    click.echo("\n".join(table(["setting", "value", "from", "meaning"], rows)))
