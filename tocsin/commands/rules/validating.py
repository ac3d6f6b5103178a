"""``tocsin rules validate``: whether files are rule files, with the place of every mistake."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.terminal.answers import say, say_json

WRONG = 3
"""Exit code when something is wrong."""


@click.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Validate Prometheus rule files, and all files of directories; exit 3 when one is wrong."""
    from anomaly.prometheus_rules.loading import load_file
    from collectors.documents.reading import files_of
    from collectors.errors import DocumentError
    from tocsin.configuration.reloading import problem_row

    files = [file for path in paths for file in (files_of(path) if path.is_dir() else [path])]
    problems: list[DocumentError] = []
    groups = rules = 0
    for file in files:
        try:
            found = load_file(file)
        except DocumentError as error:
            problems += error.each()
            continue
        groups += len(found)
        rules += sum(len(group.rules) for group in found)
    if as_json:
        body = {
            "ok": not problems,
            "files": len(files),
            "groups": groups,
            "rules": rules,
            "problems": [problem_row(error) for error in problems],
        }
        say_json(body)
    else:
        for problem in problems:
            say(problem.message)
        if not problems:
            say(f"{len(files)} files, {groups} groups, {rules} rules: valid")
    ctx.exit(WRONG if problems else 0)
