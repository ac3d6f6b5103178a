"""``tocsin canary``: hold an experiment against its control, and tell a pipeline how it stands."""

from __future__ import annotations

import click

from tocsin.client.canary_shapes import Canary
from tocsin.client.wording import number
from tocsin.terminal.answers import asking, asks, say, say_json, table

PROBLEM = 3
"""Exit code of an experiment that does not pass."""


@click.command("canary")
@click.option("--metric", multiple=True, metavar="NAME=EXPR", help="Must not change either way.")
@click.option("--increase", multiple=True, metavar="NAME=EXPR", help="Must not become more.")
@click.option("--decrease", multiple=True, metavar="NAME=EXPR", help="Must not become less.")
@click.option("--control", multiple=True, metavar="KEY=VALUE", help="Tags of what is good.")
@click.option("--experiment", multiple=True, metavar="KEY=VALUE", help="Tags of what is judged.")
@click.option("--start", default="e-30m", help="From: e-30m, an ISO time or epoch. [e-30m]")
@click.option("--end", default="now", help="Until. [now]")
@click.option("--control-start", default="", help="From, of the control. [as --start]")
@click.option("--control-end", default="", help="Until, of the control. [as --end]")
@click.option("--critical", multiple=True, metavar="NAME", help="A metric that fails the whole.")
@click.option("--must-have-data", multiple=True, metavar="NAME", help="With --critical: no pass "
              "without data.")  # fmt: skip
@click.option("--group", multiple=True, metavar="NAME=GROUP", help="Group of a metric. [all]")
@click.option("--weight", multiple=True, metavar="GROUP=N", help="Of 100; others share the rest.")
@click.option("--effect", type=click.Choice(["mean_ratio", "cles"]), help="[mean_ratio]")
@click.option("--allowed-increase", type=float, help="Effects up to this are none, such as 1.1.")
@click.option("--allowed-decrease", type=float, help="Effects down to this are none, such as .9.")
@click.option("--pass", "pass_", type=click.FloatRange(0, 100), help="Score that passes. [95]")
@click.option("--marginal", type=click.FloatRange(0, 100), help="Score that may do. [75]")
@click.option("--marginal-ok", is_flag=True, help="Exit 0 for a marginal one, too.")
@asks(fail_empty=False)
def command(
    api_url: str | None, as_json: bool, marginal_ok: bool, **asked: str | float | tuple[str, ...]
) -> None:
    r"""Say whether an experiment does as well as its control.

    \b
      tocsin canary --control service.version=1.4 --experiment service.version=1.5 \
        --increase errors=name,http.errors,:eq,:sum --critical errors \
        --increase latency=name,http.latency,:eq,:avg --allowed-increase 1.1

    Both sides may also be the same tags in two times: --control-start, --control-end. Exit 0 when
    it passes, 3 when it does not: failed, marginal (unless --marginal-ok), or not measured.
    """
    names = {"start": "s", "end": "e", "control_start": "control_s", "control_end": "control_e"}
    params = {
        names.get(name, name.rstrip("_")): value
        for name, value in asked.items()
        if value not in ("", None, ())
    }
    with asking(api_url) as api:
        answer = api.canary(params)
    if as_json:
        say_json(answer)
    else:
        say(told(answer))
    good = {"pass", "marginal"} if marginal_ok else {"pass"}
    if answer["verdict"] not in good:
        click.get_current_context().exit(PROBLEM)


def told(answer: Canary) -> str:
    """Return the answer as an operator reads it."""
    score = "" if answer["score"] is None else f" ({number(answer['score'])})"
    rows = [
        [
            one["outcome"],
            one["group"],
            f"{one['name']}{' (critical)' if one['critical'] else ''}",
            one["reason"],
        ]
        for one in answer["metrics"]
    ]
    lines = table(["outcome", "group", "metric", "why"], rows)
    return "\n".join([f"{answer['verdict']}{score}: {answer['reason']}", "", *lines])
