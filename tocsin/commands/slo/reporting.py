"""``tocsin slo report``: of each objective the budget, what is spent and left, and a forecast."""

from __future__ import annotations

from collections.abc import Iterator

import click

from tocsin.client.forecasts import budget_gone
from tocsin.client.shapes import Slo
from tocsin.client.wording import duration, multiple, percent, scope
from tocsin.commands.slo.listing import left
from tocsin.terminal.answers import asking, asks, tell_list

_MEASURED = 0.99


@click.command("report")
@click.argument("name", required=False)
@asks()
def command(name: str | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """Print budget, spent, left and forecast of every objective, or of the one called NAME.

    The forecast says when the budget is gone if it goes on as it did of late, with a band of 90 %.
    With --json `spent` and `left` are shares of the budget; `so_far` is what is spent of the events
    that were measured, which is more while much of the period is not.
    """
    with asking(api_url) as api:
        found = [slo for slo in api.slos() if name in (None, slo["name"])]
    rows = [_row(slo) for slo in found]
    tell_list(
        rows,
        lambda: [line for slo in found for line in _lines(slo)],
        empty=f"no objective {name!r}" if name else "no objectives; `tocsin slo new` writes one",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(slo: Slo) -> dict[str, object]:
    remaining, so_far = left(slo), slo["error_budget_remaining"]
    return {
        "name": slo["name"],
        "scope": slo["scope"],
        "state": slo["state"],
        "target": slo["target"],
        "window_s": slo["window_s"],
        "window": slo.get("window", "rolling"),
        "method": slo.get("method", "Occurrences"),
        "good": slo["good_ratio"],
        "budget": 1 - slo["target"],
        "spent": None if remaining is None else 1 - remaining,
        "left": remaining,
        "so_far": None if so_far is None else 1 - so_far,
        "measured": slo["coverage"],
        "forecast": slo.get("forecast"),
        "reasons": slo["reasons"],
    }


def _lines(slo: Slo) -> Iterator[str]:
    where = scope(slo["scope"])
    yield f"{slo['name']}{' in ' + where if where else ''}: {slo['state'].replace('_', ' ')}"
    window = f"{slo.get('window', 'rolling')} {duration(slo['window_s'])}"
    method = slo.get("method", "Occurrences")
    yield f"  target    {percent(slo['target'])} over {window}, {method}"
    remaining = left(slo)
    if remaining is None:
        yield "  budget    not measured"
    else:
        good = f"good {percent(slo['good_ratio'])}"
        spent = f"{percent(1 - remaining)} spent, {percent(remaining)} left"
        yield f"  budget    {percent(1 - slo['target'])} may be bad; {good}; {spent}{_share(slo)}"
        yield f"  forecast  {budget_gone(slo.get('forecast'), slo['updated_ms'])}"
    for rate in slo["burn_rates"]:
        long, short = duration(rate["long_s"]), duration(rate["short_s"])
        told = " - ".join(
            [
                f"{multiple(rate['long'])} over {long}, {multiple(rate['short'])} over {short}",
                f"{rate['verdict'].replace('_', ' ')} (limit {multiple(rate['threshold'])})",
            ]
        )
        yield f"  {rate['tier']:<12}  {told}"
    for reason in slo["reasons"]:
        yield f"  note      {reason}"


def _share(slo: Slo) -> str:
    """Say how much of the period was measured, and what that part alone has spent."""
    coverage, so_far = slo["coverage"], slo["error_budget_remaining"]
    if coverage is None or coverage >= _MEASURED or so_far is None:
        return ""
    return (
        f" of the whole window at the traffic so far; measured {percent(coverage)} of it, "
        f"which alone spent {percent(1 - so_far)} of its own share"
    )
