"""``tocsin incidents``: what is wrong now, and answering it from a terminal."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

import click

from tocsin.client.shapes import Incident, IncidentSummary
from tocsin.client.wording import duration, moment, scope
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.options import Command

_MAX_TIMELINE = 20


@click.group("incidents")
def command() -> None:
    """List, read and answer incidents."""


@command.command("list")
@asks()
@click.option("--all", "everything", is_flag=True, help="Resolved and closed ones too.")
def list_incidents(everything: bool, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List open incidents, the newest first."""
    with asking(api_url) as api:
        found = api.incidents(state="all" if everything else "open")
    tell_list(
        found,
        lambda: table(["id", "severity", "status", "for", "title"], [_row(one) for one in found]),
        empty="no incidents" if everything else "no open incidents",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(incident: IncidentSummary) -> list[str]:
    return [
        incident["id"],
        incident["severity"],
        incident["status"],
        duration(incident["elapsed_s"]),
        incident["title"],
    ]


@command.command("show")
@click.argument("incident_id", metavar="ID")
@asks(fail_empty=False)
def show(incident_id: str, api_url: str | None, as_json: bool) -> None:
    """Print all that is known of one incident."""
    with asking(api_url) as api:
        incident = api.incident(incident_id)
    if as_json:
        say_json(incident)
    else:
        say("\n".join(described(incident)))


def described(incident: Incident) -> Iterator[str]:
    """Yield the lines that tell an incident."""
    yield f"{incident['id']}  [{incident['severity']}] {incident['title']}"
    yield f"  status    {incident['status']}, for {duration(incident['elapsed_s'])}"
    if incident["on_call"] and not incident["resolved_ms"]:
        yield f"  {incident['on_call']}"
    if incident["scope"]:
        yield f"  where     {scope(incident['scope'])}"
    yield f"  impact    since {moment(incident['impact_start_ms'])}"
    yield f"  paged     {moment(incident['paged_ms'])}"
    answered = f" by {incident['acknowledged_by']}" if incident["acknowledged_by"] else ""
    yield f"  answered  {moment(incident['acknowledged_ms'])}{answered}"
    yield f"  resolved  {moment(incident['resolved_ms'])}"
    yield f"  {incident['summary']}"
    for change in incident["near_changes"]:
        yield f"  {change['text']}"
    if incident["runbook"]:
        yield f"  runbook   {incident['runbook']['title']} ({incident['runbook']['why']})"
    timeline = incident["timeline"][-_MAX_TIMELINE:]
    if len(incident["timeline"]) > len(timeline):
        yield f"  … {len(incident['timeline']) - len(timeline)} earlier events"
    for entry in timeline:
        yield f"  {moment(entry['time_ms'])}  {entry['actor']}: {entry['text']}"


def _acts(function: Command) -> Command:
    """Add what every answer to an incident takes."""
    text = "Who answers. [your login]"
    function = click.option("--actor", default=None, help=text)(function)
    function = asks(fail_empty=False)(function)
    return click.argument("incident_id", metavar="ID")(function)


@command.command("ack")
@_acts
def acknowledge(incident_id: str, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Say that you are on it: escalation stops."""
    _give(incident_id, "acknowledge", actor, "", api_url, as_json=as_json)


@command.command("note")
@_acts
@click.argument("text")
def note(
    incident_id: str, text: str, actor: str | None, api_url: str | None, as_json: bool
) -> None:
    """Put TEXT on the incident's record and into its thread."""
    _give(incident_id, "note", actor, text, api_url, as_json=as_json)


@command.command("resolve")
@_acts
@click.argument("text", default="")
def resolve(
    incident_id: str, text: str, actor: str | None, api_url: str | None, as_json: bool
) -> None:
    """Say that it is over, perhaps with TEXT on why; the post-mortem is written."""
    _give(incident_id, "resolve", actor, text, api_url, as_json=as_json)


def _give(
    incident_id: str, name: str, actor: str | None, text: str, api_url: str | None, *, as_json: bool
) -> None:
    with asking(api_url) as api:
        incident = api.command(incident_id, name, actor=actor or getpass.getuser(), text=text)
    if as_json:
        say_json(incident)
    else:
        say(f"{incident['id']} is {incident['status']}: {incident['title']}")
