"""``tocsin slo explain``: why an objective fired at a past minute, or did not."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tocsin.client.explained.objective import ExplainedObjective, ExplainedScope
from tocsin.client.wording import moment, multiple, number, percent, scope
from tocsin.terminal.answers import asking, asks, say, say_json, table

MAX_SCOPES = 5


@click.command("explain")
@click.argument("name")
@click.option("--at", default="now", help="When: now-2h, an ISO time or epoch. [now]")
@click.option("--all", "every", is_flag=True, help="Every scope, not only those that matter most.")
@asks(fail_empty=False)
def command(name: str, at: str, every: bool, api_url: str | None, as_json: bool) -> None:
    """Say why the objective NAME fired at a past minute, or did not.

    The server goes through its stored past up to that minute once more: each pair of windows with
    its numbers and its limit, what held an alert back, whether a half of the ratio was missing, and
    what had opened and ended before. Data that came late are in it: at that minute less may have
    been known.
    """
    with asking(api_url) as api:
        answer = api.explain_slo(name, at=at)
    if as_json:
        say_json(answer)
    else:
        say("\n".join(_lines(answer, None if every else MAX_SCOPES)))


def _lines(answer: ExplainedObjective, most: int | None) -> Iterator[str]:
    yield f"{answer['name']} at {moment(answer['at_ms'])}"
    yield answer["why"]
    for expression, fault in answer["faults"].items():
        yield f"can't be evaluated: {expression}: {fault}"
    yield from answer["blindness"]
    shown = answer["scopes"][:most]
    for one in shown:
        yield ""
        yield from _scope_lines(one, answer["counted"])
    hidden = len(answer["scopes"]) - len(shown) + answer["left_out"]
    if hidden:
        yield f"\n{hidden} more scopes, none closer to a limit; --all shows them"
    if answer["history"]:
        yield "\nbefore that, the newest first"
        yield from table(
            ["when", "what", "urgency", "title"],
            [
                [moment(one["time_ms"]), one["state"], one["urgency"], one["title"]]
                for one in answer["history"][:10]
            ],
        )


def _scope_lines(one: ExplainedScope, counted: str) -> Iterator[str]:
    yield f"{scope(one['scope']) or 'everywhere'}: {one['why']}"
    yield f"  this step: {one['step']['words']}"
    left = percent(one["error_budget_remaining"])
    yield f"  good {percent(one['good_ratio'])}, budget left {left}"
    for alert in one["alerts"]:
        if alert["state"] != "idle":
            yield f"  {alert['urgency']}: {alert['state']} since {moment(alert['opened_ms'])}"
        elif alert["held_back"]:
            yield f"  {alert['urgency']}: held back, {alert['held_back']}"
    head = ["  tier", "long", "short", "limit", f"bad of {counted} (long)", "measured", "verdict"]
    rows = [
        [
            f"  {tier['tier']}",
            multiple(tier["long"]),
            multiple(tier["short"]),
            multiple(tier["threshold"]),
            f"{number(tier['long_bad'])} of {number(tier['long_total'])}",
            percent(tier["coverage"]),
            tier["verdict"].replace("_", " "),
        ]
        for tier in one["tiers"]
    ]
    yield from table(head, rows)
