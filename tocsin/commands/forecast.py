"""``tocsin forecast``: where an expression is heading, and when it reaches a limit."""

from __future__ import annotations

import click

from tocsin.client.forecast_shapes import ForecastAnswer, ForecastExhaustion, ForecastLine
from tocsin.client.wording import moment, number, percent
from tocsin.terminal.answers import EMPTY, asking, asks, say, say_json


@click.command("forecast")
@click.argument("expression")
@click.option("--limit", type=float, help="When does it reach this?")
@click.option("--per-instance", type=float, help="What one instance takes: how many are needed?")
@click.option("--horizon", default="1d", help="How far to look ahead. [1d]")
@click.option("--past", default="7d", help="How far back to learn from. [7d]")
@asks()
def command(
    expression: str,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
    **asked: str | float | None,
) -> None:
    r"""Show where EXPRESSION is heading, with a band, and how often such bands have held.

    \b
      tocsin forecast name,disk.used,:eq,:sum --limit 2e12 --horizon 7d --past 30d
      tocsin forecast name,requests,:eq,:sum --per-instance 250
    """
    params = {name: value for name, value in asked.items() if value is not None}
    with asking(api_url) as api:
        answer = api.forecast(expression, params)
    if as_json:
        say_json(answer)
    else:
        say(told(answer))
    if fail_empty and not any(line["forecast"] for line in answer["lines"]):
        click.get_current_context().exit(EMPTY)


def told(answer: ForecastAnswer) -> str:
    """Return the answer as an operator reads it."""
    if not answer["lines"]:
        return "The expression has no data."
    return "\n\n".join(_line(line, answer["times_ms"][-1]) for line in answer["lines"])


def _line(line: ForecastLine, last_ms: int) -> str:
    name = ", ".join(f"{key}={value}" for key, value in line["tags"].items()) or "all"
    found = line["forecast"]
    if found is None:
        return f"{name}: no forecast: {line['why_not']}"
    held = found["measured"]
    trust = (
        "how often such bands have held could not be measured"
        if held is None
        else f"such bands held {percent(held)} of {found['tried']:,} values of its own past"
    )
    head = (
        f"{name}: {number(found['now'])} now, {number(found['likeliest'][-1])} at "
        f"{moment(last_ms)} ({percent(found['stated'])} between {number(found['low'][-1])} and "
        f"{number(found['high'][-1])}; {trust})"
    )
    lines = [head]
    if line["exhaustion"] is not None:
        lines.append(f"  {_exhaustion(line['exhaustion'], last_ms)}")
    if line["instances"] is not None:
        some = line["instances"]
        lines.append(
            f"  {some['likeliest']} instances of {number(some['capacity'])} at the peak, "
            f"{some['safe']} to be safe ({moment(some['peak_ms'])})"
        )
    return "\n".join(lines)


def _exhaustion(found: ForecastExhaustion, last_ms: int) -> str:
    limit = number(found["limit"])
    if found["reached"]:
        return f"{limit} is reached now"
    if found["likeliest_ms"] is None and found["earliest_ms"] is None:
        return f"{limit} is not reached before {moment(last_ms)}"
    likeliest, earliest, latest = (
        "not before the end" if at is None else moment(at)
        for at in (found["likeliest_ms"], found["earliest_ms"], found["latest_ms"])
    )
    return f"{limit} is reached {likeliest} (earliest {earliest}, latest {latest})"
