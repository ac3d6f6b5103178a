"""``tocsin schema``: the JSON Schema of a kind of file, for editors."""

from __future__ import annotations

import click
import orjson

from collectors.documents.schema import schema_of


@click.command("schema")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of files of a KIND; without one, which kinds there are."""
    from tocsin.configuration.reading import FILES

    kinds = {file.kind: file for file in FILES}
    if kind is None:
        for file in FILES:
            click.echo(f"{file.kind:<10} {file.pattern:<18} {file.configures}")
    elif kind not in kinds:
        raise click.BadParameter(f"{kind!r}: choose one of {', '.join(kinds)}")
    else:
        schema = schema_of(kinds[kind].models())
        click.echo(orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode())
