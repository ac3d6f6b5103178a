"""``tocsin postmortem``: write, review and publish post-mortems; keep their action items."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

from tocsin.client.errors import MissingError
from tocsin.client.response.paper_shapes import PaperSection, PostMortem, PostMortemRow
from tocsin.client.wording import moment
from tocsin.commands.response.postmortem.action_items import actions
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.options import Command

_FORMS = ("md", "html", "pdf", "json")


@click.group("postmortem")
def command() -> None:
    """Write, review and publish post-mortems; keep their action items."""


command.add_command(actions)


def acts(function: Command) -> Command:
    """Add who acts."""
    text = "Who does it. [your login]"
    return click.option("--actor", default=None, help=text)(function)


@command.command("list")
@asks()
def list_post_mortems(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List post-mortems with their stage, blanks and action items."""
    with asking(api_url) as api:
        found = api.papers.all()
    heads = ["incident", "stage", "blanks", "open actions", "overdue", "title"]
    tell_list(
        found["post_mortems"],
        lambda: table(heads, [_row(one) for one in found["post_mortems"]]),
        empty="no post-mortems; one is written when an incident is resolved",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(one: PostMortemRow) -> list[str]:
    return [
        one["incident_id"],
        one["stage"],
        str(one["blanks"]),
        str(one["open_actions"]),
        str(one["overdue_actions"]),
        one["title"],
    ]


@command.command("show")
@click.argument("incident_id", metavar="ID")
@asks(fail_empty=False)
def show(incident_id: str, api_url: str | None, as_json: bool) -> None:
    """Print where a post-mortem stands: blanks, warnings, what changed since people wrote.

    \b
    Example: tocsin postmortem show inc-0001
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        found = api.papers.whole(incident_id)
    if as_json:
        say_json(found)
    else:
        say("\n".join(described(found)))


def described(found: PostMortem) -> Iterator[str]:
    """Yield the lines that tell a post-mortem."""
    yield f"{found['incident_id']}  [{found['severity']}] {found['title']}"
    stage = found["stage"].replace("_", " ")
    yield f"  {stage} since {moment(found['moved_ms'])}, by {found['moved_by']}"
    for name in found["missing"]:
        yield f"  blank     {name}"
    for section in found["sections"]:
        yield from _section(section)
    for remark in found["remarks"]:
        yield f"  look at   {remark}"
    for one in found["warnings"]:
        yield f"  reread    {one['section']}: “{one['phrase']}” {one['advice']}"
    for item in found["actions"]:
        due = f"due {item['due']}" if item["due"] else "no day yet"
        state = "done" if item["done_ms"] else "OVERDUE" if item["overdue"] else "open"
        owner = item["owner"] or "nobody yet"
        yield f"  action    {item['id']}  {state}  {item['kind']}  {owner}  {due}  {item['title']}"


def _section(section: PaperSection) -> Iterator[str]:
    if section["text"]:
        words = f"by {section['author']}, {moment(section['time_ms'])}"
        yield f"  written   {section['name']} ({words}, revision {section['revision']})"
    if section["evidence_changed"]:
        changed = ", ".join(section["evidence_changed"])
        yield f"  changed   {section['name']}: since it was written, {changed}"


@command.command("edit")
@click.argument("incident_id", metavar="ID")
@click.argument("section")
@click.option("--text", default=None, help="What it says, Markdown. [opens your editor]")
@click.option(
    "--file",
    "file",
    type=click.File("r", encoding="utf-8"),
    default=None,
    help="Read it from a file; - for standard input.",
)
@acts
@asks(fail_empty=False)
def edit(
    incident_id: str,
    section: str,
    text: str | None,
    file: IO[str] | None,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Write a SECTION: summary, users, factors, sense, well, lucky, surprises, against, follow-ups.

    An empty text makes it a blank again. What somebody else has written meanwhile is not
    overwritten: the command fails, and nothing is lost.

    \b
    Examples:
      tocsin postmortem edit inc-0001 users
      tocsin postmortem edit inc-0001 well --text "The page came within a minute."
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        known = {one["name"]: one for one in api.papers.whole(incident_id)["sections"]}
        if section not in known:
            names = ", ".join(known)
            raise MissingError(
                f"people write no section {section!r}; they write {names}", status=404
            )
        before = known[section]
        if text is None:
            text = file.read() if file is not None else _edited(before)
        found = api.papers.edit(
            incident_id, section, text, actor=_who(actor), revision=before["revision"]
        )
    _tell(found, as_json=as_json)
    if not as_json:
        for one in found["warnings"]:
            if one["section"] == before["title"]:
                say(f"  read again: “{one['phrase']}” {one['advice']}")


def _edited(section: PaperSection) -> str:
    found = click.edit(section["text"] or f"<!-- {section['asks']} -->\n", extension=".md")
    if found is None:
        raise click.UsageError("the editor was left without saving; nothing is changed")
    return found.replace(f"<!-- {section['asks']} -->\n", "")


def _moves(name: str, to: str, summary: str) -> None:
    """Add a command that moves a post-mortem to a stage."""

    @command.command(name, help=summary)
    @click.argument("incident_id", metavar="ID")
    @click.argument("text", default="")
    @acts
    @asks(fail_empty=False)
    def move(
        incident_id: str, text: str, actor: str | None, api_url: str | None, as_json: bool
    ) -> None:
        with asking(api_url) as api:
            found = api.papers.move(incident_id, to, actor=_who(actor), text=text)
        _tell(found, as_json=as_json)


_moves("submit", "in_review", "Ask others to review it, perhaps with TEXT.")
_moves("review", "reviewed", "Agree on it; refused while blanks remain, which are named.")
_moves("publish", "published", "Show it to everybody.")
_moves("reopen", "draft", "Take it back to a draft, perhaps with TEXT on why.")


@command.command("write")
@click.argument("incident_id", metavar="ID")
@asks(fail_empty=False)
def write(incident_id: str, api_url: str | None, as_json: bool) -> None:
    """Gather the facts anew; what people wrote stays, and what changed since is said."""
    with asking(api_url) as api:
        found = api.papers.write_again(incident_id)
    _tell(found, as_json=as_json)


@command.command("export")
@click.argument("incident_id", metavar="ID")
@click.option("--format", "form", type=click.Choice(_FORMS), default="md", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=None, help="File. [terminal]")
@asks(fail_empty=False)
def export(
    incident_id: str, form: str, output: Path | None, api_url: str | None, as_json: bool
) -> None:
    """Write the document as Markdown, HTML, PDF or JSON.

    \b
    Example: tocsin postmortem export inc-0001 --format pdf --output inc-0001.pdf
    """  # noqa: D301 - click's mark for lines that stay lines
    if form == "pdf" and output is None:
        raise click.UsageError("a PDF is no text for a terminal; give --output FILE.pdf")
    with asking(api_url) as api:
        made = api.papers.exported(incident_id, form)
    if output is not None:
        output.write_bytes(made)
    if as_json:
        told = {"incident_id": incident_id, "format": form, "bytes": len(made)}
        say_json(told | {"file": str(output) if output else None})
    else:
        click.echo(f"{output}" if output else made.decode())


def _tell(found: PostMortem, *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    stage = found["stage"].replace("_", " ")
    left = f"{found['blanks']} left for people" if found["blanks"] else "no blanks"
    say(f"{found['incident_id']} is {stage}; {left}")


def _who(actor: str | None) -> str:
    return actor or getpass.getuser()
