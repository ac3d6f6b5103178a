"""``tocsin changes``: announce what is changed on purpose, and list what was."""

from __future__ import annotations

import time
from typing import TextIO

import click

from collectors.changes.reader import MAX_DIFF_CHARS
from tocsin.client.shapes import AnnouncedChange
from tocsin.client.wording import moment
from tocsin.duration import Duration
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.group("changes")
def command() -> None:
    """Announce deployments and the like; pages name those near in time."""


@command.command("announce")
@click.argument("summary")
@click.option("--kind", help="Such as deploy, scale, flag, failover.")
@click.option("--service", help="What is changed.")
@click.option("--scope", multiple=True, metavar="KEY=VALUE", help="Where; several times.")
@click.option("--url", help="Where to read more.")
@click.option("--author", help="Who or what changes it.")
@click.option("--id", "change_id", help="Its name: told again with it, it is the same change.")
@click.option("--diff", type=click.File(), help="A unified diff of it, - for standard input.")
@click.option("--done", is_flag=True, help="With --id: it began before and is done now.")
@asks(fail_empty=False)
def announce(
    summary: str,
    scope: tuple[str, ...],
    change_id: str | None,
    diff: TextIO | None,
    done: bool,
    api_url: str | None,
    as_json: bool,
    **fields: str | None,
) -> None:
    """Announce that SUMMARY happens now."""
    if done and change_id is None:
        raise click.UsageError("--done needs the --id that the change began with")
    change: dict[str, object] = {"summary": summary, "scope": _tags(scope)}
    change |= {name: value for name, value in fields.items() if value is not None}
    if change_id is not None:
        change["id"] = change_id
    if diff is not None:
        change["diff"] = diff.read(MAX_DIFF_CHARS)
    if done:
        change["end_ms"] = time.time_ns() // 1_000_000
    with asking(api_url) as api:
        receipt = api.announce(change)
    if as_json:
        say_json(receipt)
    else:
        known = "" if receipt["accepted"] else " (known already)"
        say(f"announced as {receipt['ids'][0]}{known}")


def _tags(given: tuple[str, ...]) -> dict[str, str]:
    tags = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (key and equals and value):
            raise click.BadParameter(f"{text!r}: write KEY=VALUE", param_hint="--scope")
        tags[key] = value
    return tags


@command.command("list")
@click.option("--service", help="Of one service.")
@click.option("--since", default="1d", help="How far back. [1d]")
@asks()
def list_changes(
    service: str | None, since: str, api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """List what was announced, the newest last."""
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - parsed_ms(since, "--since")
    with asking(api_url) as api:
        found = api.changes(start_ms=start_ms, end_ms=now_ms, service=service)
    head = ["time", "kind", "service", "compared", "summary"]
    rows = [[moment(c["time_ms"]), c["kind"], c["service"], _verdict(c), _words(c)] for c in found]
    tell_list(
        found,
        lambda: table(head, rows),
        empty=f"no changes in the last {since}",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _verdict(change: AnnouncedChange) -> str:
    """Return how a change compares in a word; "-" while that is not known."""
    return change.get("compared", "-").partition(":")[0]


def _words(change: AnnouncedChange) -> str:
    """Return what was done, and why it compares as it does unless it does well."""
    verdict, _, reason = change.get("compared", "").partition(": ")
    why = f" ({reason})" if reason and verdict != "pass" else ""
    return f"{change['summary']}{why}"


def parsed_ms(text: str, option: str) -> int:
    """Return the milliseconds of a length of time given with ``option``."""
    try:
        return Duration.parse(text).ms
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error
