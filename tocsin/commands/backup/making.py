"""``tocsin backup``: all that must survive in one file, while the server goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from collectors.redaction import origin_of
from tocsin.backup.archive import (
    FORMAT,
    About,
    Progress,
    config_files,
    mode_of,
    write_archive,
)
from tocsin.backup.staging import staged
from tocsin.cli import package_version
from tocsin.client.wording import duration, number, size
from tocsin.settings import Settings, load_settings
from tocsin.terminal.answers import say, say_json
from tocsin.terminal.options import setting_options


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@setting_options("data_dir", "config_dir", "history", "database_url")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, as_json: bool, **overrides: object) -> None:
    """Write data and configuration to FILE (.tar, .tar.gz, .tgz); the server may go on.

    Run it on the server's machine. What lies in databases of other servers is not in it: the
    answer says which. Put it back with `tocsin restore`.
    """
    mode_of(file)
    settings = load_settings(overrides)
    began_s = time.monotonic()
    with staged(settings.data_dir) as found:
        config = list(config_files(settings.config_dir))
        sizes = [one.size for one in (*found.files, *config)]
        about = About(
            format=FORMAT,
            version=package_version(),
            made_ms=time.time_ns() // 1_000_000,
            files=len(sizes),
            size=sum(sizes),
            elsewhere=elsewhere(settings),
            left_out=found.left_out,
        )
        with told_progress("backup", about.size) as progress:
            write_archive(file, found, config, about, progress)
    if as_json:
        say_json({"file": str(file), "file_size": file.stat().st_size, **asdict(about)})
        return
    spent = duration(time.monotonic() - began_s)
    say(f"{number(about.files)} files, {size(about.size)}, in {spent}: {file}")
    tell_lacking(about)


def elsewhere(settings: Settings) -> tuple[str, ...]:
    """Return what a backup of the data directory does not hold, in sentences."""
    lacking = []
    if settings.history not in {"off", "embedded"}:
        lacking.append(
            f"history is on {origin_of(settings.history)}: back it up there, with BACKUP DATABASE"
        )
    if settings.database_url and not settings.database_url.startswith("sqlite"):
        lacking.append(
            f"incidents are on {origin_of(settings.database_url)}: back them up there, with pg_dump"
        )
    if settings.config_dir is None:
        lacking.append("no configuration directory is set: say --config-dir if there is one")
    return tuple(lacking)


def tell_lacking(about: About) -> None:
    """Say on standard error what an archive does not hold."""
    for sentence in about.elsewhere:
        click.echo(f"not in it: {sentence}", err=True)
    for name in about.left_out:
        click.echo(f"not in it: {name}, which was set aside as damaged", err=True)


@contextmanager
def told_progress(label: str, total: int) -> Iterator[Progress]:
    """Show how far it is to whoever watches; yield what is told of each byte."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=max(1, total), label=label, file=sys.stderr) as bar:
        yield bar.update
