"""``tocsin translate``: an expression of one query language in the other."""

from __future__ import annotations

import sys

import click

from collectors.translating.to_atlas import to_atlas
from collectors.translating.to_promql import to_promql
from collectors.translating.translation import Notes, UntranslatableError
from tocsin.duration import Duration
from tocsin.terminal.answers import say_json

_PROGRAM_MARK = ",:"


@click.command("translate")
@click.argument("expression")
@click.option("--to", "target", type=click.Choice(["promql", "atlas"]), help="Default: the other.")
@click.option("--step", default="1m", show_default=True, help="Step of the stack language.")
@click.option(
    "--counter", "counters", multiple=True, metavar="METRIC", help="This metric is a counter."
)
@click.option(
    "--gauge", "gauges", multiple=True, metavar="METRIC", help="This metric is no counter."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    expression: str,
    target: str | None,
    step: str,
    counters: tuple[str, ...],
    gauges: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write an expression of the stack language in PromQL, or the other way.

    Counters are told by names that end in _total, _sum, _count or _bucket. What is not quite the
    same is said on standard error. Exit code 3: the other language has no such expression.
    """
    target = target or ("promql" if _PROGRAM_MARK in expression else "atlas")
    try:
        step_ms = Duration.parse(step).ms
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--step") from None
    notes = Notes(step_ms=step_ms, counters=frozenset(counters), gauges=frozenset(gauges))
    translate = to_promql if target == "promql" else to_atlas
    try:
        found = translate(expression, notes)
    except UntranslatableError as error:
        if as_json:
            say_json({"to": target, "text": None, "reason": error.message})
        else:
            click.echo(f"tocsin: no translation: {error.message}", err=True)
        sys.exit(3)
    if as_json:
        approximations = list(found.approximations)
        say_json({"to": target, "text": found.text, "approximations": approximations})
        return
    click.echo(found.text)
    for approximation in found.approximations:
        click.echo(f"approximately: {approximation}", err=True)
