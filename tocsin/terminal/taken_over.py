"""What commands that take over other tools' files have in common: where to, and what was done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click

from tocsin.terminal.answers import say
from tocsin.terminal.options import Command


def out_option(function: Command) -> Command:
    """Add ``--out``, the configuration directory to write into."""
    text = "The configuration directory to write into. [ops]"
    kind = click.Path(path_type=Path, file_okay=False)
    return click.option("--out", type=kind, default=Path("ops"), help=text)(function)


def tell_files(out: Path, files: Iterable[str], written: Collection[str]) -> None:
    """Say of each file below ``out`` whether it was written."""
    for path in files:
        done = "written" if path in written else "is there already and is left alone"
        say(f"{out / path} {done}")


def tell_lost(lost: Sequence[str]) -> None:
    """Say what could not be carried over."""
    if lost:
        say(f"{len(lost)} things could not be carried over:")
    for what in lost:
        say(f"  {what}")


def tell_next(out: Path) -> None:
    """Say what checks the files."""
    say(f"next: tocsin check-config --config-dir {out}")
