"""``tocsin heartbeats``: which jobs report, and a report from a script."""

from __future__ import annotations

import click

from tocsin.client.response.oncall_shapes import Heartbeat
from tocsin.client.wording import duration, moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list

_STATES = {"unseen": "not measured: never reported", "alive": "reports", "missing": "MISSING"}


@click.group("heartbeats")
def command() -> None:
    """See which jobs report, and report for one."""


@command.command("list")
@asks()
def list_heartbeats(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List what must report, and whether it does."""
    with asking(api_url) as api:
        found = api.heartbeats()
    tell_list(
        found,
        lambda: table(["name", "every", "last report", "state"], [_row(one) for one in found]),
        empty="no heartbeats; write heartbeats.yaml in the configuration directory",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(one: Heartbeat) -> list[str]:
    last = "never" if one["last_ms"] is None else moment(one["last_ms"])
    return [one["name"], duration(one["interval_s"]), last, _STATES[one["state"]]]


@command.command("send")
@click.argument("name")
@asks(fail_empty=False)
def send(name: str, api_url: str | None, as_json: bool) -> None:
    """Report for NAME: the last line of a job that must not die unseen.

    \b
    Example: backup.sh && tocsin heartbeats send nightly-backup
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        taken = api.beat(name)
    if as_json:
        say_json(taken)
    else:
        say(f"{taken['name']}: report {taken['beats']} at {moment(taken['last_ms'])}")
