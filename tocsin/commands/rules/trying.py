"""``tocsin rules test``: unit tests of rules, in the form of ``promtool test rules``."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.terminal.answers import say, say_json

FAILED = 3
"""Exit code when something is not as expected."""


@click.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Run FILES that test Prometheus rules; exit 3 when something is not as expected.

    They are files of `promtool test rules`: input series, and the alerts and values that the rules
    are expected to make of them.
    """
    from anomaly.prometheus_rules.unit_tests.running import Verdict, run_file
    from collectors.errors import DocumentError

    verdicts: dict[str, Verdict] = {}
    for file in files:
        try:
            verdicts[str(file)] = run_file(file)
        except DocumentError as error:
            problems = tuple(one.message for one in error.each())
            verdicts[str(file)] = Verdict(tests=0, failures=problems)
    failed = any(verdict.failures for verdict in verdicts.values())
    if as_json:
        rows = [
            {
                "file": file,
                "ok": not one.failures,
                "tests": one.tests,
                "failures": one.failures,
                "warnings": one.warnings,
            }
            for file, one in verdicts.items()
        ]
        say_json({"ok": not failed, "files": rows})
        ctx.exit(FAILED if failed else 0)
    for name, verdict in verdicts.items():
        for warning in verdict.warnings:
            say(f"{name}: warning: {warning}")
        for failure in verdict.failures:
            say(f"{name}: {failure}")
        if not verdict.failures:
            say(f"{name}: {verdict.tests} expectations met")
    ctx.exit(FAILED if failed else 0)
