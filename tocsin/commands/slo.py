"""``tocsin slo``: how objectives stand, and writing one."""

from __future__ import annotations

import click

from tocsin.client.shapes import Slo
from tocsin.client.wording import multiple, percent, scope
from tocsin.commands.slo_new import command as new
from tocsin.terminal.answers import asking, asks, table, tell_list


@click.group("slo")
def command() -> None:
    """Look at objectives, and write new ones."""


command.add_command(new)


@command.command("status")
@click.argument("name", required=False)
@asks()
def status(name: str | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
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


def _row(slo: Slo) -> list[str]:
    left = slo["error_budget_remaining_projected"]
    burns = [rate["short"] for rate in slo["burn_rates"] if rate["short"] is not None]
    return [
        slo["name"],
        scope(slo["scope"]) or "everywhere",
        slo["state"],
        percent(slo["good_ratio"]),
        percent(slo["target"]),
        percent(slo["error_budget_remaining"] if left is None else left),
        multiple(max(burns, default=None)),
    ]
