"""``tocsin oncall override``: somebody is on call instead of whoever it would be."""

from __future__ import annotations

import getpass
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from tocsin.client.client import ApiClient
from tocsin.client.errors import MissingError
from tocsin.client.response.oncall_shapes import AskedOverride
from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list

_NOBODY = "nobody"


@click.command("override")
@click.argument("person")
@click.option("--schedule", required=True, help="Which.")
@click.option("--from", "since", required=True, help="Local time of the schedule.")
@click.option("--to", "until", required=True, help="Local time of the schedule, not included.")
@click.option("--reason", default="", help="Why.")
@click.option("--actor", default=None, help="Who asks for it. [your login]")
@asks(fail_empty=False)
def override(
    person: str,
    schedule: str,
    since: str,
    until: str,
    reason: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Let PERSON be on call instead; a swap is two of these. PERSON may be `nobody`.

    \b
    Example:
      tocsin oncall override ben --schedule payments \\
        --from "2030-12-24 18:00" --to "2030-12-27 09:00" --reason "swapped with Ana"
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        zone = _zone(api, schedule)
        made = api.override(
            schedule,
            "" if person == _NOBODY else person,
            start_ms=_moment_ms(since, zone, "--from"),
            end_ms=_moment_ms(until, zone, "--to"),
            reason=reason,
            actor=actor or getpass.getuser(),
        )
    if as_json:
        say_json(made)
    else:
        say(f"{made['id']}: {_words(made)}")


@click.command("overrides")
@asks()
def list_overrides(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the overrides that people have asked for; those of the files are not among them."""
    with asking(api_url) as api:
        found = api.overrides()
    tell_list(
        found,
        lambda: table(["id", "what", "asked by"], [_row(one) for one in found]),
        empty="no overrides",
        as_json=as_json,
        fail_empty=fail_empty,
    )


@click.command("cancel")
@click.argument("override_id", metavar="ID", type=click.IntRange(1))
@click.option("--actor", default=None, help="Who takes it back. [your login]")
@asks(fail_empty=False)
def cancel(override_id: int, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Take an override back; whoever it would have been is on call again."""
    with asking(api_url) as api:
        api.cancel_override(override_id, actor=actor or getpass.getuser())
    if as_json:
        say_json({"cancelled": override_id})
    else:
        click.echo(f"{override_id} is cancelled")


def _row(one: AskedOverride) -> list[str]:
    return [str(one["id"]), _words(one), one["made_by"]]


def _words(one: AskedOverride) -> str:
    why = f" ({one['reason']})" if one["reason"] else ""
    when = f"{moment(one['start_ms'])} – {moment(one['end_ms'])}"
    return f"{one['person'] or 'NOBODY'} by {one['schedule']}, {when}{why}"


def _zone(api: ApiClient, schedule: str) -> ZoneInfo:
    schedules = api.oncall(days=1)["schedules"]
    zone = next((one["time_zone"] for one in schedules if one["name"] == schedule), None)
    if zone is None:
        known = ", ".join(one["name"] for one in schedules) or "none"
        told = f"no schedule is called {schedule!r}; there are: {known}"
        raise MissingError(told, status=404)
    return ZoneInfo(zone)


def _moment_ms(text: str, zone: ZoneInfo, option: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        wanted = 'a date and time such as "2030-12-24 18:00"'
        raise click.BadParameter(f"{text!r} is not {wanted}", param_hint=option) from None
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    return int(aware.timestamp() * 1_000)
