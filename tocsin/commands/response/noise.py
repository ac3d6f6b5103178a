"""``tocsin noise``: say that a finding was none, and take that back."""

from __future__ import annotations

import getpass

import click

from tocsin.client.response.noise import NoiseMark
from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.group("noise")
def command() -> None:
    """Say that a finding was none: its detector takes more for an anomaly from then on.

    Each mark raises the threshold of the rule by a quarter; a withdrawn one no longer does.
    """


@command.command("mark")
@click.argument("finding", metavar="FINDING_ID")
@click.option("--reason", "-c", required=True, help="Why it is noise.")
@click.option("--actor", default=None, help="Who says so. [your login]")
@asks(fail_empty=False)
def mark(finding: str, reason: str, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Call a finding noise, with a reason.

    \b
    Example: tocsin noise mark detector/orders/eu/1700000000000 --reason "a load test"
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        made = api.noise.mark(finding, reason=reason, actor=actor or getpass.getuser())
    if as_json:
        say_json(made)
    else:
        say(f"{made['id']}: {made['rule']} takes more from now on")


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Withdrawn ones, too.")
@asks()
def list_marks(everything: bool, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List what was called noise, the newest first."""
    with asking(api_url) as api:
        found = [m for m in api.noise.all() if everything or m["withdrawn_ms"] is None]
    tell_list(
        found,
        lambda: table(["id", "when", "by", "rule", "reason"], [_row(one) for one in found]),
        empty="nothing was called noise",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(mark: NoiseMark) -> list[str]:
    over = f" (withdrawn by {mark['withdrawn_by']})" if mark["withdrawn_ms"] is not None else ""
    when = moment(mark["marked_ms"])
    return [mark["id"], when, mark["author"], mark["rule"], f"{mark['reason']}{over}"]


@command.command("withdraw")
@click.argument("mark_id", metavar="ID")
@asks(fail_empty=False)
def withdraw(mark_id: str, api_url: str | None, as_json: bool) -> None:
    """Take a mark back: its rule is as sensitive as before."""
    with asking(api_url) as api:
        found = api.noise.withdraw(mark_id)
    if as_json:
        say_json(found)
    else:
        say(f"{found['rule']} is as sensitive as before")
