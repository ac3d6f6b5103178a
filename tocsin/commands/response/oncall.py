"""``tocsin oncall``: who is on call now and next, and how well the time is covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from tocsin.client.errors import MissingError
from tocsin.client.response.oncall_shapes import Schedule, Shift
from tocsin.client.wording import percent
from tocsin.commands.response.on_call import escalations, overrides
from tocsin.terminal.answers import asking, asks, say_json, table, tell_list
from tocsin.terminal.options import Command

_MAX_SHIFTS = 10


@click.group("oncall")
def command() -> None:
    """See who is on call, when nobody is, and who carries how much."""


for _more in (escalations.command, overrides.override, overrides.list_overrides, overrides.cancel):
    command.add_command(_more)


def _days(function: Command) -> Command:
    text = "How far ahead to look."
    kind = click.IntRange(1, 400)
    return click.option("--days", type=kind, default=14, show_default=True, help=text)(function)


@command.command("list")
@asks()
def list_schedules(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the schedules and who is on call by each."""
    with asking(api_url) as api:
        found = api.oncall()["schedules"]
    tell_list(
        found,
        lambda: table(["schedule", "on call", "until", "gaps"], [_row(one) for one in found]),
        empty="no schedules; write one below oncall/ in the configuration directory",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(schedule: Schedule) -> list[str]:
    now = schedule["now"]
    return [
        schedule["name"],
        now["name"] if now else "NOBODY",
        _local(now["end_ms"], schedule) if now else "",
        str(len(schedule["gaps"])),
    ]


@command.command("show")
@click.argument("name")
@_days
@asks(fail_empty=False)
def show(name: str, days: int, api_url: str | None, as_json: bool) -> None:
    """Print a schedule's shifts, gaps and loads.

    \b
    Example: tocsin oncall show payments --days 30
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        schedules = api.oncall(days=days)["schedules"]
    found = next((one for one in schedules if one["name"] == name), None)
    if found is None:
        known = ", ".join(one["name"] for one in schedules) or "none"
        raise MissingError(f"no schedule is called {name!r}; there are: {known}", status=404)
    if as_json:
        say_json(found)
    else:
        click.echo("\n".join(described(found, days)))


def described(schedule: Schedule, days: int) -> Iterator[str]:
    """Yield the lines that tell a schedule."""
    yield f"{schedule['title']} ({schedule['name']}), {schedule['time_zone']}, {days} days"
    for shift in schedule["shifts"][:_MAX_SHIFTS]:
        yield f"  {_span(shift, schedule)}  {shift['name']}  {_why(shift)}"
    more = len(schedule["shifts"]) - _MAX_SHIFTS
    if more > 0:
        yield f"  … {more} more shifts; --json has all"
    for gap in schedule["gaps"]:
        start, end = _local(gap["start_ms"], schedule), _local(gap["end_ms"], schedule)
        yield f"  {start} – {end}  NOBODY"
    yield f"  covered {percent(schedule['covered'])}"
    for load in schedule["loads"]:
        yield (
            f"  {load['name']}: {load['hours']:.0f} h, of them {load['night_hours']:.0f} h at night"
            f" and {load['weekend_hours']:.0f} h at weekends"
        )


def _span(shift: Shift, schedule: Schedule) -> str:
    return f"{_local(shift['start_ms'], schedule)} – {_local(shift['end_ms'], schedule)}"


def _why(shift: Shift) -> str:
    return f"({shift['layer']}{': ' if shift['reason'] else ''}{shift['reason']})"


def _local(at_ms: int, schedule: Schedule) -> str:
    zone = ZoneInfo(schedule["time_zone"])
    return f"{datetime.fromtimestamp(at_ms / 1_000, tz=zone):%a %Y-%m-%d %H:%M}"


@command.command("calendar")
@click.argument("name")
@click.option("--output", type=click.Path(path_type=Path), default=None, help="File. [terminal]")
@_days
@asks(fail_empty=False)
def calendar(name: str, output: Path | None, days: int, api_url: str | None, as_json: bool) -> None:
    """Print a schedule as iCalendar, for a calendar program."""
    with asking(api_url) as api:
        text = api.oncall_calendar(name, days=days)
    if output is not None:
        output.write_text(text, newline="")
    if as_json:
        say_json({"calendar": text, "file": str(output) if output else None})
    else:
        click.echo(text if output is None else f"{output}\n", nl=False)
