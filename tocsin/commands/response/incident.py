"""``tocsin incident``: declare, read and answer incidents from a terminal."""

from __future__ import annotations

import getpass
from collections.abc import Callable

import click

from tocsin.client.shapes import Incident, IncidentSummary
from tocsin.client.wording import duration
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.incident import described, reported
from tocsin.terminal.options import Command

_SEVERITIES = click.Choice(["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"], case_sensitive=False)
_STATUSES = click.Choice(["investigating", "identified", "mitigated", "resolved"])
_ROLES = click.Choice(["commander", "deputy", "scribe", "liaison"])
_KINDS = click.Choice(["detect", "mitigate", "prevent", "process", "repair"])
_MILESTONES = click.Choice(
    [
        *("started", "detected", "acknowledged", "investigating"),
        *("identified", "mitigated", "resolved", "reviewed"),
    ]
)


@click.group("incident")
def command() -> None:
    """Declare, read and answer incidents.

    \b
    tocsin incident list
    tocsin incident ack inc-0007
    tocsin incident update inc-0007 "Half of starts fail in eu; we roll back. Next at 14:30."
    """  # noqa: D301 - click's mark for lines that stay lines


@command.command("list")
@asks()
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
def list_incidents(everything: bool, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List open incidents, the newest first."""
    with asking(api_url) as api:
        found = api.incidents(state="all" if everything else "open")
    head = ["id", "severity", "status", "for", "tasks", "title"]
    tell_list(
        found,
        lambda: table(head, [_row(one) for one in found]),
        empty="no incidents" if everything else "no open incidents",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(incident: IncidentSummary) -> list[str]:
    overdue = incident["overdue_tasks"]
    return [
        incident["id"],
        incident["severity"],
        incident["status"],
        duration(incident["elapsed_s"]),
        f"{incident['open_tasks']}, {overdue} overdue" if overdue else str(incident["open_tasks"]),
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


@command.command("report")
@click.option("--days", type=click.IntRange(1, 3_660), default=30, show_default=True, help="Back.")
@asks(fail_empty=False)
def report(days: int, api_url: str | None, as_json: bool) -> None:
    """Tell how the last days went: how fast people were, who was rung, what it cost."""
    with asking(api_url) as api:
        found = api.incident_report(days=days)
    if as_json:
        say_json(found)
    else:
        say("\n".join(reported(found)))


def _acting(function: Command) -> Command:
    text = "Who does it. [your login]"
    return click.option("--actor", default=None, help=text)(asks(fail_empty=False)(function))


@command.command("declare")
@click.argument("title")
@click.option("--severity", type=_SEVERITIES, default="SEV3", show_default=True, help="How bad.")
@click.option("--service", default="", help="Which service; what is found in it joins.")
@click.option("--region", default="", help="Where.")
@click.option("--text", default="", help="What is known.")
@click.option("--started", default="", help="Since when: -10m, or 2026-03-01T14:05:00Z. [now]")
@_acting
def declare(
    title: str,
    severity: str,
    service: str,
    region: str,
    text: str,
    started: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Say that something is wrong which nothing has found; it rings as any other.

    \b
    tocsin incident declare "Checkout shows a blank page" --severity SEV2 --service checkout
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        incident = api.declare(
            title,
            actor=actor or getpass.getuser(),
            severity=severity.upper(),
            service=service,
            region=region,
            text=text,
            started=started,
        )
    _tell(incident, as_json=as_json)


def _give(
    incident_id: str,
    name: str,
    actor: str | None,
    api_url: str | None,
    *,
    as_json: bool,
    text: str = "",
    value: str = "",
    **more: str,
) -> None:
    with asking(api_url) as api:
        who = actor or getpass.getuser()
        given = {key: word for key, word in more.items() if word}
        incident = api.command(incident_id, name, actor=who, text=text, value=value, **given)
    _tell(incident, as_json=as_json)


def _tell(incident: Incident, *, as_json: bool) -> None:
    if as_json:
        say_json(incident)
    else:
        said = f"{incident['id']} [{incident['severity']}] is {incident['status']}"
        last = incident["timeline"][-1]["text"] if incident["timeline"] else incident["title"]
        say(f"{said}: {incident['title']}\n  {last}")


def _worded(name: str, help_text: str, *, needs_text: bool) -> Callable[..., None]:
    """Return a command that takes an incident and words."""

    def answer(
        incident_id: str, text: str, actor: str | None, api_url: str | None, as_json: bool
    ) -> None:
        _give(incident_id, name, actor, api_url, as_json=as_json, text=text)

    answer.__doc__ = help_text
    words = {"required": True} if needs_text else {"default": ""}
    return click.argument("incident_id", metavar="ID")(
        click.argument("text", **words)(_acting(answer))
    )


@command.command("ack")
@click.argument("incident_id", metavar="ID")
@_acting
def acknowledge(incident_id: str, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Say that you are on it: escalation stops."""
    _give(incident_id, "acknowledge", actor, api_url, as_json=as_json)


command.command("escalate")(
    _worded("escalate", "Ring whoever is next now, perhaps with TEXT on why.", needs_text=False)
)
command.command("resolve")(
    _worded("resolve", "Say that it is over, perhaps with TEXT on why.", needs_text=False)
)
command.command("reopen")(
    _worded("reopen", "Say that it is back, perhaps with TEXT on why.", needs_text=False)
)
command.command("decline")(
    _worded("decline", "Say that it is no incident, with TEXT on why.", needs_text=True)
)
command.command("update")(
    _worded("update", "Tell those who are not in the room, in your own words.", needs_text=True)
)


@command.command("note")
@click.argument("incident_id", metavar="ID")
@click.argument("text")
@click.option("--at", default="", help="When it was, if earlier: -10m, or 2026-03-01T14:05:00Z.")
@_acting
def note(
    incident_id: str, text: str, at: str, actor: str | None, api_url: str | None, as_json: bool
) -> None:
    """Put TEXT on the record and into the thread; whom it names with @ is told."""
    _give(incident_id, "note", actor, api_url, as_json=as_json, text=text, at=at)


@command.command("pin")
@click.argument("incident_id", metavar="ID")
@click.argument("event")
@click.option("--off", is_flag=True, help="No longer.")
@_acting
def pin(
    incident_id: str, event: str, off: bool, actor: str | None, api_url: str | None, as_json: bool
) -> None:
    """Keep EVENT of the timeline in view, by its number."""
    name = "unpin" if off else "pin"
    _give(incident_id, name, actor, api_url, as_json=as_json, value=event)


@command.command("severity")
@click.argument("incident_id", metavar="ID")
@click.argument("severity", type=_SEVERITIES)
@click.argument("text", default="")
@_acting
def severity(
    incident_id: str,
    severity: str,
    text: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Say how bad it is, perhaps with TEXT on why; a rise rings."""
    value = severity.upper()
    _give(incident_id, "set_severity", actor, api_url, as_json=as_json, text=text, value=value)


@command.command("status")
@click.argument("incident_id", metavar="ID")
@click.argument("status", type=_STATUSES)
@click.argument("text", default="")
@_acting
def status(
    incident_id: str,
    status: str,
    text: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Move on in the work, perhaps with TEXT on what was found or done."""
    _give(incident_id, "set_status", actor, api_url, as_json=as_json, text=text, value=status)


@command.command("assign")
@click.argument("incident_id", metavar="ID")
@click.argument("role", type=_ROLES)
@click.argument("person", default="")
@_acting
def assign(
    incident_id: str,
    role: str,
    person: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Give ROLE to PERSON, or take it; who had it before hands it over."""
    value = f"{role}:{person}"
    _give(incident_id, "assign", actor, api_url, as_json=as_json, value=value)


def _taking_part(name: str, help_text: str) -> Callable[..., None]:
    def answer(
        incident_id: str, person: str, actor: str | None, api_url: str | None, as_json: bool
    ) -> None:
        _give(incident_id, name, actor, api_url, as_json=as_json, value=person)

    answer.__doc__ = help_text
    return click.argument("incident_id", metavar="ID")(
        click.argument("person", default="")(_acting(answer))
    )


command.command("join")(_taking_part("join", "Put PERSON, or yourself, on the list of responders."))
command.command("leave")(_taking_part("leave", "Take PERSON, or yourself, from that list."))


@command.command("merge")
@click.argument("incident_id", metavar="ID")
@click.argument("into", metavar="INTO")
@click.argument("text", default="")
@_acting
def merge(
    incident_id: str,
    into: str,
    text: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Let INTO take over all that ID has; what is found later goes there, too.

    \b
    tocsin incident merge inc-0008 inc-0007 "the same rollout"
    """  # noqa: D301 - click's mark for lines that stay lines
    _give(incident_id, "merge", actor, api_url, as_json=as_json, text=text, value=into)


@command.command("split")
@click.argument("incident_id", metavar="ID")
@click.argument("findings", nargs=-1, required=True, metavar="FINDING...")
@click.option("--text", default="", help="Why.")
@_acting
def split(
    incident_id: str,
    findings: tuple[str, ...],
    text: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Move findings out into an incident of their own, which rings; `show` tells their ids."""
    value = "\n".join(findings)
    _give(incident_id, "split", actor, api_url, as_json=as_json, text=text, value=value)


@command.command("milestone")
@click.argument("incident_id", metavar="ID")
@click.argument("milestone", type=_MILESTONES)
@click.option("--at", required=True, help="When it was: -10m, or 2026-03-01T14:05:00Z.")
@click.option("--reason", required=True, help="Why the log is wrong.")
@_acting
def milestone(
    incident_id: str,
    milestone: str,
    at: str,
    reason: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Correct when it came how far; what the log said stays beside it.

    \b
    tocsin incident milestone inc-0007 started --at 2026-03-01T13:58:00Z --reason "first complaint"
    """  # noqa: D301 - click's mark for lines that stay lines
    _give(
        incident_id,
        "correct_milestone",
        actor,
        api_url,
        as_json=as_json,
        text=reason,
        value=milestone,
        at=at,
    )


@command.group("task")
def task() -> None:
    """Add what is to be done, and finish it.

    \b
    tocsin incident task add inc-0007 "Alert on licence servers" --kind detect --due 2026-03-08
    tocsin incident task done inc-0007 t1
    """  # noqa: D301 - click's mark for lines that stay lines


@task.command("add")
@click.argument("incident_id", metavar="ID")
@click.argument("title")
@click.option("--kind", type=_KINDS, default="repair", show_default=True, help="What for.")
@click.option("--owner", default="", help="Who.")
@click.option("--due", default="", help="Until when: 2026-03-08, or +7d.")
@_acting
def add_task(
    incident_id: str,
    title: str,
    kind: str,
    owner: str,
    due: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Add a task."""
    more = {"kind": kind, "owner": owner, "due": due}
    _give(incident_id, "add_task", actor, api_url, as_json=as_json, text=title, **more)


def _ticking(state: str, help_text: str) -> Callable[..., None]:
    def answer(
        incident_id: str, task_id: str, actor: str | None, api_url: str | None, as_json: bool
    ) -> None:
        value = f"{task_id}:{state}"
        _give(incident_id, "change_task", actor, api_url, as_json=as_json, value=value)

    answer.__doc__ = help_text
    return click.argument("incident_id", metavar="ID")(
        click.argument("task_id", metavar="TASK")(_acting(answer))
    )


task.command("done")(_ticking("done", "Say that a task is done."))
task.command("reopen")(_ticking("open", "Say that a task is not done after all."))


@task.command("change")
@click.argument("incident_id", metavar="ID")
@click.argument("task_id", metavar="TASK")
@click.option("--owner", default="", help="Who.")
@click.option("--due", default="", help="Until when: 2026-03-08, or +7d.")
@_acting
def change_task(
    incident_id: str,
    task_id: str,
    owner: str,
    due: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Hand a task over or put it off."""
    more = {"owner": owner, "due": due}
    _give(incident_id, "change_task", actor, api_url, as_json=as_json, value=task_id, **more)
