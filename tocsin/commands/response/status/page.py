"""``tocsin status``: how components are, what a person says of them, the site."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

import click

from tocsin.client.response.status_shapes import ComponentRow, StatusPageState
from tocsin.client.wording import moment, percent
from tocsin.commands.response.status.notices import incident, maintenance, update
from tocsin.commands.response.status.subscribing import subscribe
from tocsin.duration import Duration
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list

_STATES = (
    "operational",
    "degraded",
    "partial_outage",
    "major_outage",
    "maintenance",
    "unknown",
    "automatic",
)


@click.group("status")
def command() -> None:
    """See and publish what users are told: components, incidents, maintenance."""


for part in (incident, maintenance, update, subscribe):
    command.add_command(part)


@command.command("show")
@asks(fail_empty=False)
def show(api_url: str | None, as_json: bool) -> None:
    """Print the page: components, what is published, and drafts that wait for a person."""
    with asking(api_url) as api:
        found = api.status_page.state()
    if as_json:
        say_json(found)
    else:
        say("\n".join(described(found)))


def described(found: StatusPageState) -> Iterator[str]:
    """Yield the lines that tell the page."""
    yield f"{found['title']}: {found['state'].replace('_', ' ')}, as of {moment(found['as_of_ms'])}"
    for one in found["components"]:
        state = one["state"].replace("_", " ")
        yield f"  {one['name']}  {state}  ({one['source']}: {one['reason']})"
    for notice in found["notices"]:
        if notice["progress"] in {"resolved", "completed"}:
            continue
        yield f"  notice {notice['id']}  {notice['progress']}  {notice['title']}"
        for said in notice["updates"]:
            yield f"    {moment(said['time_ms'])}  {said['progress']}: {said['text']}"
    for draft in found["drafts"]:
        about = f"notice {draft['notice_id']}" if draft["notice_id"] else "a new notice"
        yield f"  draft for {about}, of {draft['incident_id']}, {draft['progress']}:"
        yield f"    {draft['title']}"
        yield f"    {draft['text']}"


@command.command("components")
@asks()
def components(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List components with their state, where it comes from, and 90 days in figures."""
    with asking(api_url) as api:
        found = api.status_page.state()["components"]
    heads = ["name", "state", "source", "without outage", "measured", "reason"]
    tell_list(
        found,
        lambda: table(heads, [_row(one) for one in found]),
        empty="no components",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(one: ComponentRow) -> list[str]:
    return [
        one["name"],
        one["state"],
        one["source"],
        percent(one["uptime"]),
        percent(one["measured"]),
        one["reason"],
    ]


@command.command("set")
@click.argument("component")
@click.argument("state", type=click.Choice(_STATES))
@click.argument("text", default="")
@click.option("--for", "length", default="4h", show_default=True, help="At most 7d.")
@click.option("--actor", default=None, help="Who says so. [your login]")
@asks(fail_empty=False)
def set_state(
    component: str,
    state: str,
    text: str,
    length: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Say how COMPONENT is, for some time; `automatic` lets its source speak again.

    \b
    Examples:
      tocsin status set playback degraded "starts are slow" --for 2h
      tocsin status set playback automatic
    """  # noqa: D301 - click's mark for lines that stay lines
    try:
        for_s = round(Duration.parse(length).seconds)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from None
    with asking(api_url) as api:
        who = actor or getpass.getuser()
        found = api.status_page.say(component, state, for_s=for_s, actor=who, text=text)
    if as_json:
        say_json(found)
        return
    row = next(one for one in found["components"] if one["name"] == component)
    say(f"{component} is {row['state'].replace('_', ' ')} ({row['source']}: {row['reason']})")


@command.command("build")
@asks(fail_empty=False)
def build(api_url: str | None, as_json: bool) -> None:
    """Have the server write the static site now; it does so at each change anyway."""
    with asking(api_url) as api:
        found = api.status_page.build()
    if as_json:
        say_json(found)
    else:
        say(f"{len(found['files'])} files in {found['directory']}")
