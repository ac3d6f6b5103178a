"""``tocsin oncall escalation``: the policies, and whom each would ring at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from tocsin.client.errors import MissingError
from tocsin.client.response.oncall_shapes import Escalation
from tocsin.client.wording import duration, moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.group("escalation")
def command() -> None:
    """See who is rung while nobody answers, and try a policy at any moment."""


@command.command("list")
@asks()
def list_policies(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the escalation policies and whom each would ring first now."""
    with asking(api_url) as api:
        found = api.escalations()
    tell_list(
        found,
        lambda: table(
            ["policy", "levels", "repeats", "exhausted after", "rings first"],
            [_row(one) for one in found],
        ),
        empty="no policies; write one below escalation/ in the configuration directory",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(policy: Escalation) -> list[str]:
    first = next((_rings(level["rings"], level["ways"]) for level in policy["levels"]), "")
    return [
        policy["name"],
        str(len(policy["levels"])),
        str(policy["repeats"]),
        duration(policy["exhausted_after_s"]),
        first,
    ]


@command.command("show")
@click.argument("name")
@asks(fail_empty=False)
def show(name: str, api_url: str | None, as_json: bool) -> None:
    """Print a policy level by level, with whom each would ring if it began now.

    \b
    Example: tocsin oncall escalation show payments
    """  # noqa: D301 - click's mark for lines that stay lines
    _tell(name, None, api_url, as_json=as_json)


@command.command("test")
@click.argument("name")
@click.option("--at", "at", required=True, help='When it begins, UTC: "2026-12-24 18:00".')
@asks(fail_empty=False)
def try_policy(name: str, at: str, api_url: str | None, as_json: bool) -> None:
    """Say whom a policy would ring, and when, if nobody answered; nobody is rung.

    \b
    Example: tocsin oncall escalation test payments --at "2026-12-24 18:00"
    """  # noqa: D301 - click's mark for lines that stay lines
    _tell(name, _moment_ms(at), api_url, as_json=as_json)


def _tell(name: str, at_ms: int | None, api_url: str | None, *, as_json: bool) -> None:
    with asking(api_url) as api:
        policies = api.escalations(at_ms=at_ms)
    found = next((one for one in policies if one["name"] == name), None)
    if found is None:
        known = ", ".join(one["name"] for one in policies) or "none"
        raise MissingError(
            f"no escalation policy is called {name!r}; there are: {known}", status=404
        )
    if as_json:
        say_json(found)
    else:
        say("\n".join(described(found, at_ms)))


def described(policy: Escalation, at_ms: int | None) -> Iterator[str]:
    """Yield the lines that tell a policy; times are moments if it begins at one."""
    yield f"{policy['title']} ({policy['name']})"
    for number, level in enumerate(policy["levels"], start=1):
        rings = _rings(level["rings"], level["ways"])
        yield f"  {_when(level['after_s'], at_ms)}  level {number} rings {rings}"
        yield from (f"      {missing}" for missing in level["missing"])
    if policy["repeats"]:
        yield f"  all levels {policy['repeats']} times again"
    told = ", ".join(["the channels of the route", *policy["fallback"]])
    yield f"  {_when(policy['exhausted_after_s'], at_ms)}  exhausted: {told}"
    if policy["acknowledge_timeout_s"] is not None:
        lapse = duration(policy["acknowledge_timeout_s"])
        yield f"  an acknowledgement lapses {lapse} after the last thing that somebody did"


def _rings(people: list[str], ways: list[str]) -> str:
    return ", ".join([*people, *ways]) or "NOBODY"


def _when(after_s: float, at_ms: int | None) -> str:
    if at_ms is None:
        return f"after {duration(after_s)}" if after_s else "at once"
    return moment(at_ms + int(after_s * 1_000))


def _moment_ms(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        wanted = 'a date and time such as "2026-12-24 18:00"'
        raise click.BadParameter(f"{text!r} is not {wanted}", param_hint="--at") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1_000)
