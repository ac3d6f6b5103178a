"""``tocsin history check``: has the long-term store verify itself."""

from __future__ import annotations

from contextlib import nullcontext

import click
import orjson

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

    The embedded store belongs to one process: stop `tocsin serve` first.
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
