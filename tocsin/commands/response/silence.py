"""``tocsin silence``: keep findings from ringing for a while, with a reason."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

import click

from tocsin.client.response.silence_shapes import (
    HiddenFinding,
    Silence,
    SilencePreview,
    moment_ms,
    written,
)
from tocsin.client.wording import moment
from tocsin.commands.changes import parsed_ms
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.options import Command

_MAX_SHOWN = 20


@click.group("silence")
def command() -> None:
    """Keep findings from ringing for a while, with a reason.

    \b
    Matchers are name=value, name!=value, name=~pattern or name!~pattern; all of them must hold.
    Labels are a finding's scope (service.name or service_name), alertname, kind, urgency, severity.
    """  # noqa: D301 - click's mark for lines that stay lines


def _matchers(function: Command) -> Command:
    return click.argument("matchers", nargs=-1, required=True)(function)


@command.command("add")
@_matchers
@click.option("--reason", "-c", required=True, help="Why it may ring nobody.")
@click.option("--for", "lasts", default="2h", show_default=True, help="How long.")
@click.option("--in", "begins_in", default="0s", show_default=True, help="Begins so much later.")
@click.option("--author", default=None, help="Who. [your login]")
@asks(fail_empty=False)
def add(
    matchers: tuple[str, ...],
    reason: str,
    lasts: str,
    begins_in: str,
    author: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Silence what MATCHERS match, and say what that hides now.

    \b
    Example: tocsin silence add service_name=playback 'cloud_region=~eu-.*' \\
             --reason "load test, TICKET-17" --for 90m
    """  # noqa: D301 - click's mark for lines that stay lines
    begins_in_ms, lasts_ms = parsed_ms(begins_in, "--in"), parsed_ms(lasts, "--for")
    with asking(api_url) as api:
        made_id = api.silences.add(
            matchers,
            reason=reason,
            author=author or getpass.getuser(),
            lasts_ms=lasts_ms,
            begins_in_ms=begins_in_ms,
        )
        made = api.silences.one(made_id)
        hidden = api.silences.preview(matchers)
    if as_json:
        say_json(made)
    else:
        say("\n".join([*described(made), *previewed(hidden)]))


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@asks()
def list_silences(everything: bool, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the silences that hold or will."""
    with asking(api_url) as api:
        found = [s for s in api.silences.all() if everything or s["status"]["state"] != "expired"]
    rows = [
        [s["id"], s["status"]["state"], _moment(s["endsAt"]), s["createdBy"], written(s)]
        for s in found
    ]
    tell_list(
        found,
        lambda: table(["id", "state", "ends", "by", "matchers"], rows),
        empty="no silences",
        as_json=as_json,
        fail_empty=fail_empty,
    )


@command.command("show")
@click.argument("silence_id", metavar="ID")
@asks(fail_empty=False)
def show(silence_id: str, api_url: str | None, as_json: bool) -> None:
    """Print one silence."""
    with asking(api_url) as api:
        _tell(api.silences.one(silence_id), as_json=as_json)


@command.command("extend")
@click.argument("silence_id", metavar="ID")
@click.option("--for", "lasts", required=True, help="How much longer, from now.")
@asks(fail_empty=False)
def extend(silence_id: str, lasts: str, api_url: str | None, as_json: bool) -> None:
    """Have a silence end so much later from now."""
    lasts_ms = parsed_ms(lasts, "--for")
    with asking(api_url) as api:
        _tell(api.silences.one(api.silences.extend(silence_id, lasts_ms)), as_json=as_json)


@command.command("expire")
@click.argument("silence_id", metavar="ID")
@asks(fail_empty=False)
def expire(silence_id: str, api_url: str | None, as_json: bool) -> None:
    """End a silence now; what still fires is taken in and rings."""
    with asking(api_url) as api:
        api.silences.expire(silence_id)
        _tell(api.silences.one(silence_id), as_json=as_json)


@command.command("preview")
@_matchers
@asks(fail_empty=False)
def preview(matchers: tuple[str, ...], api_url: str | None, as_json: bool) -> None:
    """Say what a silence with MATCHERS would hide, now and over the last day."""
    with asking(api_url) as api:
        found = api.silences.preview(matchers)
    if as_json:
        say_json(found)
    else:
        say("\n".join(previewed(found)))


def described(silence: Silence) -> Iterator[str]:
    """Yield the lines that tell a silence."""
    yield f"{silence['id']}  {silence['status']['state']}"
    yield f"  matchers  {written(silence)}"
    yield f"  from      {_moment(silence['startsAt'])}"
    yield f"  until     {_moment(silence['endsAt'])}"
    yield f"  by        {silence['createdBy']}"
    yield f"  reason    {silence['comment']}"


def previewed(found: SilencePreview) -> Iterator[str]:
    """Yield the lines that tell what a silence hides."""
    yield f"hides {found['firing_total']} that fire now"
    yield from _shown(found["firing"])
    yield f"and {found['last_day_total']} others of the last day"
    yield from _shown(found["last_day"])
    if found["own_not_hidden"]:
        yield (
            f"{found['own_not_hidden']} about tocsin itself ring all the same: name them exactly, "
            "by alertname=… or service_name=tocsin"
        )


def _shown(findings: list[HiddenFinding]) -> Iterator[str]:
    for finding in findings[:_MAX_SHOWN]:
        yield f"  {finding['urgency']:<6}  {moment(finding['started_ms'])}  {finding['title']}"
    if len(findings) > _MAX_SHOWN:
        yield "  … --json has more"


def _tell(silence: Silence, *, as_json: bool) -> None:
    if as_json:
        say_json(silence)
    else:
        say("\n".join(described(silence)))


def _moment(text: str) -> str:
    return moment(moment_ms(text))
