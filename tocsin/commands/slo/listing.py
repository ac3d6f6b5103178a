"""``tocsin slo list``: how every objective stands, a line each."""

from __future__ import annotations

import click

from tocsin.client.shapes import Slo
from tocsin.client.wording import multiple, percent, scope
from tocsin.terminal.answers import asking, asks, table, tell_list


@click.command("list")
@click.argument("name", required=False)
@asks()
def command(name: str | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """Print how every objective stands, or the one called NAME, in each of its scopes."""
    with asking(api_url) as api:
        found = [slo for slo in api.slos() if name in (None, slo["name"])]
    head = ["objective", "where", "state", "good", "target", "budget left", "burns"]
    tell_list(
        found,
        lambda: table(head, [_row(slo) for slo in found]),
        empty=f"no objective {name!r}" if name else "no objectives; `tocsin slo new` writes one",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def left(slo: Slo) -> float | None:
    """Return what is left of a budget, projected on the whole period where that is known."""
    projected = slo["error_budget_remaining_projected"]
    return slo["error_budget_remaining"] if projected is None else projected


def _row(slo: Slo) -> list[str]:
    burns = [rate["short"] for rate in slo["burn_rates"] if rate["short"] is not None]
    return [
        slo["name"],
        scope(slo["scope"]) or "everywhere",
        slo["state"],
        percent(slo["good_ratio"]),
        percent(slo["target"]),
        percent(left(slo)),
        multiple(max(burns, default=None)),
    ]
