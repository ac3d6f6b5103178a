"""``tocsin slo validate``: whether files are OpenSLO v1, with the place of every mistake."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.settings import load_settings
from tocsin.terminal.answers import say, say_json
from tocsin.terminal.options import setting_options

WRONG = 3
"""Exit code when something is wrong."""


@click.command("validate")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--strict", is_flag=True, help="By the letter of the reference SDK.")
@click.option("--runnable", is_flag=True, help="What can't be evaluated here is a mistake, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@setting_options("step")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    strict: bool,
    runnable: bool,
    as_json: bool,
    step: str | None,
) -> None:
    """Validate OpenSLO v1 files, and all files of directories; exit 3 when something is wrong.

    All PATHS are read together and may refer to each other. Lenient by default: what the
    specification's own examples contain is taken, too. Warnings are what is valid and has no
    effect here: other sources than type tocsin, tiers that can never fire for the target.
    """
    from anomaly.slo.documents.validating import validate
    from collectors.documents.section import Context
    from collectors.stacklang.evaluation.batch import parse
    from tocsin.configuration.reloading import problem_row

    step_ms = load_settings({"step": step}).step.ms
    context = Context(strict=strict, check_expression=parse)
    found = validate(paths, context, step_ms)
    problems, warnings = list(found.problems), list(found.warnings)
    (problems if runnable else warnings).extend(found.elsewhere)
    if as_json:
        body = {
            "ok": not problems,
            "documents": len(found.documents),
            "objectives": [one.name for one in found.objectives],
            "problems": [problem_row(error) for error in problems],
            "warnings": [problem_row(error) for error in warnings],
        }
        say_json(body)
    else:
        for error in problems:
            say(error.message)
        for warning in warnings:
            say(f"warning: {warning.message}")
        count = f"{len(found.documents)} documents, {len(found.objectives)} objectives to evaluate"
        if not problems:
            say(f"{count}: valid{', strictly' if strict else ''}")
    ctx.exit(WRONG if problems else 0)
