"""``tocsin explain-groups``: which tags explain what an expression did in a window."""

from __future__ import annotations

import click

from tocsin.client.explained.groups import ExplainedGroups
from tocsin.client.wording import number
from tocsin.terminal.answers import EMPTY, asking, asks, say, say_json, table


@click.command("explain-groups")
@click.argument("expression")
@click.option("--of", default="", help="Of how many: an expression, when EXPRESSION counts a part.")
@click.option(
    "--by",
    default="",
    help="Tag keys to combine, such as cdn,bitrate,p2p; * for whichever may tell.",
)
@click.option("--start", default="e-10m", help="From: e-10m, an ISO time or epoch. [e-10m]")
@click.option("--end", default="now", help="Until. [now]")
@click.option("--before", default="1h", help="How long before it was as usual. [1h]")
@click.option(
    "--direction",
    type=click.Choice(["up", "down", "both"]),
    default="both",
    help="Which way it went. [both]",
)
@click.option("--limit", type=click.IntRange(1, 10), default=3, help="Combinations told. [3]")
@asks()
def command(
    expression: str,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
    **asked: str | int,
) -> None:
    r"""Show which tags explain what EXPRESSION did lately, against the time before.

    EXPRESSION counts something, in the stack language. For example, of failures:

    \b
      tocsin explain-groups name,play.failures,:eq,:sum \
        --of name,play.starts,:eq,:sum --by cdn,bitrate,p2p --direction up
    """
    names = {"start": "s", "end": "e"}
    params = {names.get(name, name): value for name, value in asked.items() if value != ""}
    with asking(api_url) as api:
        answer = api.explain_groups(expression, params)
    if as_json:
        say_json(answer)
    else:
        say(told(answer))
    if fail_empty and not answer["stands_out"]:
        click.get_current_context().exit(EMPTY)


def told(answer: ExplainedGroups) -> str:
    """Return the answer as an operator reads it."""
    lines = [answer["words"]]
    if answer["stands_out"]:
        rows = [
            [
                number(one["likelihood"]),
                number(one["observed"]),
                number(one["expected"]),
                number(one["rest_factor"]),
                str(one["cells"]),
                ", ".join(f"{key}={value}" for key, value in one["tags"].items()),
            ]
            for one in answer["combinations"]
        ]
        head = ["weight", "seen", "expected", "others, times", "series", "tags"]
        lines += ["", *table(head, rows)]
    return "\n".join(lines)
