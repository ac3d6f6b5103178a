"""``tocsin restore``: puts a backup back, or proves that it is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tocsin.backup.restoring import check_archive, restore
from tocsin.client.wording import moment, number, size
from tocsin.commands.backup.making import tell_lacking, told_progress
from tocsin.settings import load_settings
from tocsin.terminal.answers import say, say_json
from tocsin.terminal.options import setting_options


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@setting_options("data_dir", "config_dir")
@click.option("--check", is_flag=True, help="Prove that every byte is right; restore nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, check: bool, as_json: bool, **overrides: object) -> None:
    """Put the backup FILE into an empty data directory, its configuration where none is.

    Nothing is replaced: a data directory that holds something is refused.
    """
    settings = load_settings(overrides)
    packed = file.stat().st_size if file.is_file() else 0
    with told_progress("restore", packed) as progress:
        if check:
            found = check_archive(file, progress)
        else:
            found = restore(file, settings.data_dir, settings.config_dir, progress)
    about = found.about
    if as_json:
        where = None if check else str(settings.data_dir)
        say_json({"data_dir": where, "config_kept": found.config_kept, **asdict(about)})
        return
    held = f"{number(about.files)} files, {size(about.size)}, as of {moment(about.made_ms)}"
    say(f"{held}: every byte is right" if check else f"{held}: now in {settings.data_dir}")
    if found.config_kept:
        click.echo(f"not restored: its configuration: {found.config_kept}", err=True)
    tell_lacking(about)
