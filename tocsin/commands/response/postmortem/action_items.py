"""``tocsin postmortem actions``: what is to be done after incidents, and what is overdue."""

from __future__ import annotations

import getpass
from pathlib import Path

import click
import orjson

from tocsin.client.response.paper_shapes import ActionItem
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.options import Command

_KINDS = ("prevent", "detect", "mitigate", "process", "repair")
_PRIORITIES = ("P0", "P1", "P2", "P3")
_STATES = ("open", "overdue", "done", "all")


@click.group("actions")
def actions() -> None:
    """List, add and finish action items; export them for a tracker."""


def _chosen(function: Command) -> Command:
    """Add which action items are meant."""
    text = "Only those of one incident."
    function = click.option("--incident", "incident_id", default=None, help=text)(function)
    kind = click.Choice(_STATES)
    return click.option("--state", type=kind, default="open", show_default=True)(function)


def _fields(function: Command) -> Command:
    """Add what can be said of an action item."""
    for name, text in (
        ("--done-when", "How one can tell that it is done."),
        ("--ticket", "Address of the ticket."),
        ("--due", "Last day, such as 2026-12-31."),
        ("--owner", "Who sees to it."),
    ):
        function = click.option(name, default=None, help=text)(function)
    function = click.option("--priority", type=click.Choice(_PRIORITIES), default=None)(function)
    return click.option("--kind", type=click.Choice(_KINDS), default=None)(function)


@actions.command("list")
@_chosen
@asks()
def list_actions(
    state: str, incident_id: str | None, api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """List action items, overdue ones first."""
    with asking(api_url) as api:
        found = api.papers.action_items(state=state, incident_id=incident_id)
    heads = ["no", "state", "due", "priority", "kind", "owner", "incident", "what"]
    tell_list(
        found,
        lambda: table(heads, [_row(one) for one in found]),
        empty="no action items" if state == "all" else f"no action items that are {state}",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(one: ActionItem) -> list[str]:
    return [
        str(one["id"]),
        "done" if one["done_ms"] else "OVERDUE" if one["overdue"] else "open",
        one["due"] or "–",
        one["priority"],
        one["kind"],
        one["owner"] or "nobody",
        one["incident_id"],
        one["title"],
    ]


@actions.command("add")
@click.argument("incident_id", metavar="ID")
@click.argument("title")
@_fields
@click.option("--actor", default=None, help="Who adds it. [your login]")
@asks(fail_empty=False)
def add(
    incident_id: str,
    title: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
    **fields: str | None,
) -> None:
    """Add TITLE, what is to be done, to the post-mortem of incident ID.

    \b
    Example: tocsin postmortem actions add inc-0001 "Test the timeout" \\
               --kind prevent --owner ana --due 2026-12-31
    """  # noqa: D301 - click's mark for lines that stay lines
    given = {"title": title, **_given(fields)}
    with asking(api_url) as api:
        item = api.papers.add_action(incident_id, given, actor=actor or getpass.getuser())
    _tell(item, as_json=as_json)


@actions.command("change")
@click.argument("number", type=int)
@click.option("--title", default=None, help="What to do, beginning with a verb.")
@_fields
@click.option("--actor", default=None, help="Who changes it. [your login]")
@asks(fail_empty=False)
def change(
    number: int, actor: str | None, api_url: str | None, as_json: bool, **fields: str | None
) -> None:
    """Change what is said of action item NUMBER.

    \b
    Example: tocsin postmortem actions change 3 --owner ben --due 2027-01-15
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        who = actor or getpass.getuser()
        item = api.papers.change_action(number, _given(fields), actor=who)
    _tell(item, as_json=as_json)


@actions.command("done")
@click.argument("number", type=int)
@click.option("--undo", is_flag=True, help="It is not done after all.")
@click.option("--actor", default=None, help="Who did it. [your login]")
@asks(fail_empty=False)
def done(number: int, undo: bool, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Say that action item NUMBER is done."""
    with asking(api_url) as api:
        who = actor or getpass.getuser()
        item = api.papers.change_action(number, {}, actor=who, done=not undo)
    _tell(item, as_json=as_json)


@actions.command("export")
@click.argument("form", type=click.Choice(("github", "jira")))
@_chosen
@click.option("--output", type=click.Path(path_type=Path), default=None, help="File. [terminal]")
@asks(fail_empty=False)
def export(
    form: str,
    state: str,
    incident_id: str | None,
    output: Path | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Print action items as the JSON bodies that GitHub's or Jira's API takes.

    \b
    Example: tocsin postmortem actions export github --incident inc-0001
    """  # noqa: D301 - click's mark for lines that stay lines
    del as_json  # it is JSON in any case
    with asking(api_url) as api:
        found = api.papers.exported_actions(form, state=state, incident_id=incident_id)
    if output is None:
        say_json(found)
    else:
        output.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        click.echo(str(output))


def _given(fields: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _tell(item: ActionItem, *, as_json: bool) -> None:
    if as_json:
        say_json(item)
        return
    state = "done" if item["done_ms"] else "OVERDUE" if item["overdue"] else "open"
    say(f"action item {item['id']} is {state}: {item['title']}")
