"""``tocsin import``: people, rotas and escalations of other tools as files of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from collectors.errors import ConfigError
from runbooks.importing.reading import MAX_EXPORT_BYTES, TOOLS, imported
from tocsin.boards.grafana.reading import MAX_DASHBOARD_BYTES, imported_board
from tocsin.commands.rules.importing import command as prometheus
from tocsin.starting.writing import write_new
from tocsin.terminal.answers import say, say_json
from tocsin.terminal.taken_over import out_option, tell_files, tell_lost, tell_next


@click.group("import")
def command() -> None:
    """Take over what other tools know."""


command.add_command(prometheus)
_WRONG = 3
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@command.command("oncall")
@click.argument("file", type=_FILE)
@click.option("--from", "tool", type=click.Choice([*TOOLS]), default=None, help="[as it looks]")
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
def oncall(file: Path, tool: str | None, out: Path, as_json: bool) -> None:
    """Write people.yaml, oncall/ and escalation/ from FILE, an export as JSON.

    Files that are there are left alone. What could not be carried over is listed: read it before
    you rely on the rest.

    \b
    Example: tocsin import oncall opsgenie.json --out ops
    """  # noqa: D301 - click's mark for lines that stay lines
    with file.open("rb") as export:
        name, found = imported(export.read(MAX_EXPORT_BYTES + 1), tool)
    files = found.files()
    written = [path for path, text in files.items() if write_new(out / path, text)]
    if as_json:
        kept = [path for path in files if path not in written]
        say_json({"from": name, "written": written, "kept": kept, "lost": found.lost})
        return
    tell_files(out, files, written)
    tell_lost(found.lost)
    tell_next(out)


@command.command("grafana")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
@click.pass_context
def grafana(ctx: click.Context, files: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Write a dashboard of ours for each of FILES, dashboards as Grafana saves them.

    Panels that ask Prometheus or Atlas are drawn. What is left out or drawn otherwise is listed,
    panel for panel. Files that are there are left alone. Exit 3 when one of FILES is no dashboard;
    the others are written.

    \b
    Example: tocsin import grafana checkout.json --out ops
    """  # noqa: D301 - click's mark for lines that stay lines
    boards = [_board(file, out) for file in files]
    if as_json:
        say_json({"dashboards": boards})
    else:
        for board in boards:
            _tell_board(board, out)
        tell_next(out)
    ctx.exit(_WRONG if any(board["error"] for board in boards) else 0)


def _board(file: Path, out: Path) -> dict[str, Any]:
    """Write a dashboard; return what became of it."""
    row: dict[str, Any] = {"file": str(file), "path": None, "written": False, "panels": 0}
    try:
        with file.open("rb") as saved:
            found = imported_board(saved.read(MAX_DASHBOARD_BYTES + 1))
    except ConfigError as error:
        return row | {"lost": [], "error": error.message}
    path = f"dashboards/{found.name}.yaml"
    written = bool(found.text) and write_new(out / path, found.text)
    row |= {"path": path, "written": written, "panels": found.panels}
    return row | {"lost": list(found.lost), "error": None}


def _tell_board(board: dict[str, Any], out: Path) -> None:
    if board["error"]:
        say(f"{board['file']}: {board['error']}")
    elif not board["panels"]:
        say(f"{board['file']}: none of its panels can be drawn")
    else:
        done = "written" if board["written"] else "is there already and is left alone"
        say(f"{out / board['path']} {done}: {board['panels']} panels")
    for what in board["lost"]:
        say(f"  {what}")
